import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { parseManifest } from "@ashlar/identity";
import { openRepository, type Repository } from "../client/open-repository.ts";
import { readDocument } from "../client/read-document.ts";
import { isSignedSums, parseKeyring } from "../keys/sums-key.ts";
import { sortedReleases } from "../model/edit-index.ts";
import { summaryOf } from "../model/release-summary.ts";
import type { PublishedFile, ReleaseEntry, RepositoryIndex } from "../model/repository-index.ts";
import { channelSums, SIGNATURE_NAME, SUMS_NAME } from "../publish/channel-directories.ts";

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
        await check(async () => await judgeFile(repository, file, signal));
      await check(async () => await judgeSummary(repository, release));
    }
    for (const name of index.channels.keys()) {
      await check(async () => await judgeSums(repository, name, options.keyring, signal));
    }
    return { index, problems };
  });
}

async function judgeFile(
  { transport }: Repository,
  { name, sizeBytes, sha256 }: PublishedFile,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { body } = await transport.open(`releases/${name}`, { signal });
  const digest = createHash("sha256");
  let foundBytes = 0;
  for await (const chunk of body) {
    digest.update(chunk);
    foundBytes += chunk.length;
    if (foundBytes > sizeBytes) break;
  }
  if (foundBytes !== sizeBytes) return `releases/${name}: expected ${sizeBytes} bytes, found ${foundBytes}`;
  const found = digest.digest("hex");
  return found === sha256 ? undefined : `releases/${name}: expected SHA-256 ${sha256}, found ${found}`;
}

async function judgeSummary(repository: Repository, { version }: ReleaseEntry): Promise<string | undefined> {
  const manifest = parseManifest((await repository.readFile(version, "manifest")).toString("utf8"));
  const summary = await repository.readSummary(version);
  if (manifest.version === version && isDeepStrictEqual(summary, summaryOf(manifest))) return undefined;
  return `release ${version}: its manifest and its summary do not agree`;
}

const MAX_SUMS_BYTES = 1024 * 1024;

async function judgeSums(
  { transport, index }: Repository,
  channel: string,
  keyring: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const sums = (await readDocument(transport, `${channel}/${SUMS_NAME}`, MAX_SUMS_BYTES, signal)).toString("utf8");
  if (sums !== channelSums(index, channel)) return `${channel}/${SUMS_NAME} is not what the signed index says`;
  const signature = await readDocument(transport, `${channel}/${SIGNATURE_NAME}`, MAX_SUMS_BYTES, signal);
  if (keyring === undefined) return undefined;
  const isSigned = await isSignedSums(sums, signature, await parseKeyring("keyring", keyring));
  return isSigned ? undefined : `${channel}/${SIGNATURE_NAME} is not a signature of ${SUMS_NAME} by the given key`;
}
