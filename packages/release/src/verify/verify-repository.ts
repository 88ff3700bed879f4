import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { parseExtensionManifest, parseManifest } from "@ashlar/identity";
import { openRepository, type Repository } from "../client/open-repository.ts";
import { readDocument } from "../client/read-document.ts";
import { isSignedSums, parseKeyring } from "../keys/sums-key.ts";
import { sortedExtensions } from "../model/edit-extensions.ts";
import { sortedReleases } from "../model/edit-index.ts";
import { type ExtensionEntry, extensionDirectory } from "../model/extension-entry.ts";
import { summaryOf } from "../model/release-summary.ts";
import type { PublishedFile } from "../model/index-fields.ts";
import type { ReleaseEntry, RepositoryIndex } from "../model/repository-index.ts";
import { SIGNATURE_NAME, SUMS_NAME, type SumsDirectory, sumsDirectories } from "../publish/sums-directories.ts";

export type VerifyOptions = {
  /** `file://`, `http://` or `https://`. */
  readonly url: string;
  readonly trustedRoot: Uint8Array;
  /** What signs SHA256SUMS; those signatures are not checked without it. */
  readonly keyring?: Uint8Array | undefined;
  readonly nowMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (step: string) => void;
};

export type RepositoryReport = { readonly index: RepositoryIndex; readonly problems: readonly string[] };

/** Reads a repository's index as a node does, keeping nothing. */
export async function readIndex({ url, trustedRoot, nowMs, signal }: VerifyOptions): Promise<RepositoryIndex> {
  return await withTemporaryDirectory(async (stateDirectory) => {
    const { index } = await openRepository({ url, trustedRoot, stateDirectory, nowMs, signal });
    return index;
  });
}

/**
 * Reads every file of a repository and compares it with what was signed.
 *
 * @throws AshlarError what `openRepository` throws: without a good index there is nothing to compare with
 */
export async function verifyRepository(options: VerifyOptions): Promise<RepositoryReport> {
  const { url, trustedRoot, nowMs, signal, onProgress = () => undefined } = options;
  return await withTemporaryDirectory(async (stateDirectory) => {
    const repository = await openRepository({ url, trustedRoot, stateDirectory, nowMs, signal });
    const { index } = repository;
    const problems: string[] = [];
    const check = async (work: () => Promise<string | undefined>): Promise<void> => {
      try {
        const problem = await work();
        if (problem !== undefined) problems.push(problem);
      } catch (error) {
        if (!(error instanceof AshlarError) || error.code === "interrupted") throw error;
        problems.push(error.message);
      }
    };
    for (const release of sortedReleases(index)) {
      onProgress(`reading release ${release.version}`);
      for (const file of Object.values(release.files))
        await check(async () => await judgeFile(repository, "releases", file, signal));
      await check(async () => await judgeSummary(repository, release));
    }
    for (const extension of sortedExtensions(index)) {
      const { name, version, files } = extension;
      onProgress(`reading extension ${name} ${version}`);
      for (const file of Object.values(files))
        await check(async () => await judgeFile(repository, extensionDirectory(name), file, signal));
      await check(async () => await judgeExtension(repository, extension));
    }
    for (const directory of sumsDirectories(index)) {
      await check(async () => await judgeSums(repository, directory, options.keyring, signal));
    }
    return { index, problems };
  });
}

async function judgeFile(
  { transport }: Repository,
  directory: string,
  { name, sizeBytes, sha256 }: PublishedFile,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const path = `${directory}/${name}`;
  const { body } = await transport.open(path, { signal });
  const digest = createHash("sha256");
  let foundBytes = 0;
  for await (const chunk of body) {
    digest.update(chunk);
    foundBytes += chunk.length;
    if (foundBytes > sizeBytes) break;
  }
  if (foundBytes !== sizeBytes) return `${path}: expected ${sizeBytes} bytes, found ${foundBytes}`;
  const found = digest.digest("hex");
  return found === sha256 ? undefined : `${path}: expected SHA-256 ${sha256}, found ${found}`;
}

async function judgeSummary(repository: Repository, { version }: ReleaseEntry): Promise<string | undefined> {
  const manifest = parseManifest((await repository.readFile(version, "manifest")).toString("utf8"));
  const summary = await repository.readSummary(version);
  if (manifest.version === version && isDeepStrictEqual(summary, summaryOf(manifest))) return undefined;
  return `release ${version}: its manifest and its summary do not agree`;
}

async function judgeExtension(repository: Repository, entry: ExtensionEntry): Promise<string | undefined> {
  const { kind, name, version, tier, rootHash, files } = entry;
  const bytes = await repository.readExtensionFile(name, version, "manifest");
  const manifest = parseExtensionManifest(bytes.toString("utf8"));
  const { sizeBytes, sha256 } = files.image;
  const claimed = {
    ...manifest.image,
    kind: manifest.kind,
    name: manifest.name,
    version: manifest.version,
    tier: manifest.tier,
  };
  const { certificateSha256 } = manifest.image;
  if (isDeepStrictEqual(claimed, { kind, name, version, tier, rootHash, sizeBytes, sha256, certificateSha256 }))
    return undefined;
  return `extension ${name} ${version}: its manifest and the signed index do not agree`;
}

const MAX_SUMS_BYTES = 1024 * 1024;

async function judgeSums(
  { transport }: Repository,
  directory: SumsDirectory,
  keyring: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const [sumsPath, signaturePath] = [`${directory.path}/${SUMS_NAME}`, `${directory.path}/${SIGNATURE_NAME}`];
  const sums = (await readDocument(transport, sumsPath, MAX_SUMS_BYTES, signal)).toString("utf8");
  if (sums !== directory.sums) return `${sumsPath} is not what the signed index says`;
  const signature = await readDocument(transport, signaturePath, MAX_SUMS_BYTES, signal);
  if (keyring === undefined) return undefined;
  const isSigned = await isSignedSums(sums, signature, await parseKeyring("keyring", keyring));
  return isSigned ? undefined : `${signaturePath} is not a signature of ${SUMS_NAME} by the given key`;
}
