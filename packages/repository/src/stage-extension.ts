import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { UpdateProgress } from "@ashlar/protocol";
import { imageTreeParameters } from "@ashlar/volumes";
import { digestFile } from "@ashlar/host";
import { findExtension, extensionDirectory, type ExtensionEntry } from "@ashlar/repository-index";
import { collectFiles, ProgressCounter } from "./collect-files.ts";
import { openImage, openSources } from "./image-source.ts";
import type { Repository } from "./open-repository.ts";
import { type JudgedSources, stageImage } from "./stage-image.ts";
import { createThrottle } from "./transport/throttle.ts";

export type StageExtensionOptions = {
  readonly repository: Repository;
  readonly name: string;
  readonly version: string;
  /** Paths of images that may have some of the blocks: earlier versions. Each is read whole. */
  readonly sources: readonly string[];
  /** Belongs to this function, everything else in it is removed; made when missing. One caller at a time. */
  readonly directory: string;
  /** Of the network. Default: as fast as it goes. */
  readonly maxBytesPerSecond?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: UpdateProgress) => void) | undefined;
};

export type StagedExtension = UpdateProgress &
  JudgedSources & {
    /** Of the image. */
    readonly path: string;
    readonly entry: ExtensionEntry;
  };

/**
 * Collects an extension's image in a directory, in which afterwards is `NAME-VERSION-x86-64.raw` and nothing else, every
 * block checked and on the disk. What the sources have is copied, the rest is fetched in ranges. May be stopped at any
 * point, also by a power cut, and called again: what is there is used after it has been hashed. The image's signature, and
 * whether the node may merge it, are not looked at here.
 *
 * @throws AshlarError `not-found` (name, version), `untrusted`, `unavailable`, `malformed`, `limit`, `interrupted`; `failed`
 *   when there is no room, after removing what had been collected
 */
export async function stageExtension(options: StageExtensionOptions): Promise<StagedExtension> {
  const { repository, name, version, directory, signal } = options;
  const { transport } = repository;
  const entry = findExtension(repository.index, name, version);
  const { image, blocks } = entry.files;
  const counter = new ProgressCounter(image.sizeBytes, options.onProgress);
  const { onCopied, onFetched } = counter;
  return await collectFiles(directory, { image }, async (parts) => {
    const { sources } = await stageImage({
      parameters: imageTreeParameters(image.sizeBytes),
      rootHash: entry.blocksRootHash,
      path: parts.image,
      openSources: async () =>
        await openSources(options.sources, basename, async (path) => await openImage(path, signal)),
      blocksFile: {
        transport,
        path: `${extensionDirectory(name)}/${blocks.name}`,
        sizeBytes: blocks.sizeBytes,
        throttle: createThrottle(options.maxBytesPerSecond),
        signal,
        onFetched,
      },
      signal,
      onCopied,
    });
    // Every block is as signed. That the list of blocks and the digest are of the same file is the publisher's word.
    const { digest: sha256 } = await digestFile(parts.image, { signal });
    if (sha256 !== image.sha256) {
      throw new AshlarError(
        "untrusted",
        `${image.name}: the signed index has blocks of another file: publish it again`,
      );
    }
    return { path: join(directory, image.name), entry, ...counter.progress, ...sources };
  });
}
