import type { X509Certificate } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { AshlarError } from "@ashlar/base";
import { parseExtensionManifest } from "@ashlar/protocol/answers";
import type { ExtensionManifest } from "@ashlar/protocol";
import type { Repository } from "@ashlar/repository";
import { type ExtensionEntry, type ExtensionFileKind, extensionDirectory } from "@ashlar/repository-index";
import { verifyExtensionImage } from "../publish/verify-extension-image.ts";
import { judgeFile } from "./judge-file.ts";

type Check = () => Promise<string | undefined>;

/**
 * What there is to check of a published extension, one after the other; each says what is wrong, if anything is.
 *
 * @param workPath for the image's bytes, which come over a network
 */
export function extensionChecks(
  repository: Repository,
  entry: ExtensionEntry,
  workPath: string,
  options: { readonly certificate?: X509Certificate | undefined; readonly signal?: AbortSignal | undefined },
): readonly Check[] {
  const { certificate, signal } = options;
  const fileCheck = (kind: ExtensionFileKind, copy?: string): Check => {
    const file = entry.files[kind];
    const path = `${extensionDirectory(entry.name)}/${file.name}`;
    return async () => await judgeFile(repository.transport, path, file, { signal, copy });
  };
  const manifestCheck = async (): Promise<string | undefined> =>
    judgeManifest(await readManifest(repository, entry), entry);
  const imageCheck = async (): Promise<string | undefined> => {
    const problem = await fileCheck("image", workPath)();
    if (problem !== undefined || certificate === undefined) return problem;
    try {
      await verifyExtensionImage(workPath, await readManifest(repository, entry), certificate);
      return undefined;
    } catch (error) {
      if (error instanceof AshlarError) return `${entry.files.image.name}: ${error.message}`;
      throw error;
    }
  };
  return [imageCheck, fileCheck("blocks"), fileCheck("manifest"), fileCheck("sbom"), manifestCheck];
}

async function readManifest(repository: Repository, { name, version }: ExtensionEntry): Promise<ExtensionManifest> {
  const bytes = await repository.readExtensionFile(name, version, "manifest");
  return parseExtensionManifest(bytes.toString("utf8"));
}

function judgeManifest(manifest: ExtensionManifest, entry: ExtensionEntry): string | undefined {
  const { kind, name, version, tier, rootHash, files } = entry;
  const { sizeBytes, sha256 } = files.image;
  const { image } = manifest;
  const claimed = [manifest.kind, manifest.name, manifest.version, manifest.tier, image.rootHash, image.sha256];
  const isSame =
    isDeepStrictEqual(claimed, [kind, name, version, tier, rootHash, sha256]) && image.sizeBytes === sizeBytes;
  return isSame ? undefined : `extension ${name} ${version}: its manifest and the signed index do not agree`;
}
