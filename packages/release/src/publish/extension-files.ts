import { open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { hashImage, rootHashOfTree } from "../blocks/image-tree.ts";
import { writeBlocks } from "../blocks/write-blocks.ts";
import { type ExtensionEntry, extensionDirectory, extensionFileNames } from "../model/extension-entry.ts";
import type { BuiltExtension } from "./extension-image.ts";
import { PayloadFiles } from "./payload-files.ts";
import type { RepositoryFiles } from "./repository-files.ts";

/**
 * Makes an extension's files and puts each into the repository once it is whole and checked. Nothing refers to them yet.
 *
 * @throws AshlarError `untrusted` when the image is not what its manifest says; `limit` for one of more than 4 GiB
 */
export async function writeExtensionFiles(
  files: RepositoryFiles,
  { manifest, manifestBytes, sbomBytes, imagePath }: BuiltExtension,
  signal: AbortSignal | undefined,
): Promise<ExtensionEntry> {
  const { kind, name, version, tier, image } = manifest;
  const names = extensionFileNames(manifest);
  const payloads = new PayloadFiles(files, extensionDirectory(name), signal);
  const imageFile = await payloads.putCopy(names.image, imagePath, ({ sizeBytes, sha256 }) => {
    if (sizeBytes === image.sizeBytes && sha256 === image.sha256) return;
    throw new AshlarError(
      "untrusted",
      `${imagePath} is not what its manifest says: expected ${image.sizeBytes} bytes with SHA-256 ${image.sha256}, ` +
        `found ${sizeBytes} with ${sha256}`,
      { hint: "build the extension again" },
    );
  });
  const dataPath = files.path(extensionDirectory(name), names.image);
  await using data = await open(dataPath, "r");
  const tree = await hashImage(data, signal);
  const blocks = await payloads.put(names.blocks, async (out) => await writeBlocks({ dataPath, tree, out, signal }));
  return {
    kind,
    name,
    version,
    tier,
    rootHash: image.rootHash,
    blocksRootHash: rootHashOfTree(tree),
    files: {
      image: imageFile,
      blocks,
      manifest: await payloads.putBytes(names.manifest, manifestBytes),
      sbom: await payloads.putBytes(names.sbom, sbomBytes),
    },
  };
}
