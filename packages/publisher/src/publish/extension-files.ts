import { hash, type X509Certificate } from "node:crypto";
import { open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { writeBlocks } from "@ashlar/repository";
import { hashImage, rootHashOfTree } from "@ashlar/volumes";
import { type ExtensionEntry, extensionDirectory, extensionFileNames } from "@ashlar/repository-index";
import type { TufSigner } from "@ashlar/keys";
import { expectedOfExtension } from "./expected-provenance.ts";
import type { BuiltExtension } from "./extension-image.ts";
import { findNewBlocks } from "./find-new-blocks.ts";
import { PayloadFiles } from "./payload-files.ts";
import { signProvenance } from "./provenance-file.ts";
import type { RepositoryFiles } from "./repository-files.ts";
import { verifyExtensionImage } from "./verify-extension-image.ts";

/**
 * Makes an extension's files and puts each into the repository once it is whole and checked. Nothing refers to them yet.
 *
 * @throws AshlarError `untrusted` when the image is not what its manifest says, or not signed by the certificate; `limit` for
 *   one of more than 4 GiB
 */
export async function writeExtensionFiles(
  files: RepositoryFiles,
  built: BuiltExtension,
  options: {
    readonly certificate: X509Certificate;
    /** Sign its provenance. */
    readonly signers: readonly TufSigner[];
    /** The version before, if there is one: what is new since then is compressed together. */
    readonly before: ExtensionEntry | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<ExtensionEntry> {
  const { manifest, manifestBytes, sbomBytes, imagePath } = built;
  const { certificate, before, signers, signal } = options;
  const { kind, name, version, tier, image } = manifest;
  const names = extensionFileNames(manifest);
  const payloads = new PayloadFiles(files, extensionDirectory(name), signal);
  const refuse = (why: string): never => {
    const hint = "build the extension again, with the keys of this repository";
    throw new AshlarError("untrusted", `${imagePath} is not what its manifest says: ${why}`, { hint });
  };
  const imageFile = await payloads.putCopy(names.image, imagePath, async ({ sizeBytes, sha256 }, copy) => {
    if (sizeBytes !== image.sizeBytes) refuse(`expected ${image.sizeBytes} bytes, found ${sizeBytes}`);
    if (sha256 !== image.sha256) refuse(`expected SHA-256 ${image.sha256}, found ${sha256}`);
    await verifyExtensionImage(copy, manifest, certificate).catch((error: unknown) => {
      if (error instanceof AshlarError) refuse(error.message);
      throw error;
    });
  });
  const provenance = signedProvenance(built, signers);
  const dataPath = files.path(extensionDirectory(name), names.image);
  await using data = await open(dataPath, "r");
  const tree = await hashImage(data, signal);
  const isNew =
    before === undefined
      ? new Uint8Array(tree.parameters.dataBlocks).fill(1)
      : await findNewBlocks(tree, files.path(extensionDirectory(name), before.files.image.name), signal);
  const blocks = await payloads.put(
    names.blocks,
    async (out) => await writeBlocks({ dataPath, tree, isNew, out, signal }),
  );
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
      ...(provenance !== undefined && { provenance: await payloads.putBytes(names.provenance, provenance) }),
    },
  };
}

function signedProvenance(
  { manifest, manifestBytes, sbomBytes, provenance, imagePath }: BuiltExtension,
  signers: readonly TufSigner[],
): string | undefined {
  if (provenance === undefined) return undefined;
  const digests = { manifest: hash("sha256", manifestBytes), sbom: hash("sha256", sbomBytes) };
  const expected = expectedOfExtension(manifest, digests, sbomBytes.toString("utf8"));
  return signProvenance(`the provenance of ${imagePath}`, provenance, expected, signers);
}
