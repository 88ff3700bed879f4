import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { messageOf } from "@ashlar/base";
import { DIGEST_BYTES } from "@ashlar/repository-index";
import { hashImage } from "@ashlar/volumes";

/** Something on this machine that may have some of the wanted blocks. */
export type OpenSource = {
  /** For reports. */
  readonly label: string;
  readonly data: FileHandle;
  /** The digest of each block: a claim until the block has been hashed. */
  readonly digests: Buffer;
};

/** A source that gives nothing, for example because it is empty. */
export type UnusableSource = { readonly label: string; readonly reason: string };

export type OpenedSources = { readonly opened: readonly OpenSource[]; readonly unusable: readonly UnusableSource[] };

/** Opens those sources that can be opened. */
export async function openSources<T>(
  sources: readonly T[],
  labelOf: (source: T) => string,
  openSource: (source: T) => Promise<OpenSource>,
): Promise<OpenedSources> {
  const opened: OpenSource[] = [];
  const unusable: UnusableSource[] = [];
  for (const source of sources) {
    try {
      opened.push(await openSource(source));
    } catch (error) {
      unusable.push({ label: labelOf(source), reason: messageOf(error) });
    }
  }
  return { opened, unusable };
}

/**
 * Opens an extension's image. It has no tree beside it, so that its blocks are hashed.
 *
 * @throws what is wrong with the file
 */
export async function openImage(path: string, signal: AbortSignal | undefined): Promise<OpenSource> {
  const data = await open(path, "r");
  try {
    const { parameters, leaves } = await hashImage(data, signal);
    const digests = Buffer.from(leaves.buffer, leaves.byteOffset, parameters.dataBlocks * DIGEST_BYTES);
    return { label: basename(path), data, digests };
  } catch (error) {
    await data.close();
    throw error;
  }
}
