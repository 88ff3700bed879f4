import type { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { parseManifest } from "@ashlar/protocol/answers";
import {
  openRepository,
  createTransport,
  readTrustedRoot,
  readTrustedRoots,
  readDocument,
  type Repository,
} from "@ashlar/repository";
import {
  MAX_ROOT_BYTES,
  sortedExtensions,
  sortedReleases,
  summaryOf,
  type ReleaseEntry,
  type RepositoryIndex,
} from "@ashlar/repository-index";
import { type KeySummary, summarizeKeys } from "../rotate/key-summary.ts";
import { isSignedSums, parseKeyring } from "@ashlar/keys";
import { SIGNATURE_NAME, SUMS_NAME, type SumsDirectory, sumsDirectories } from "../publish/sums-directories.ts";
import { extensionChecks } from "./extension-checks.ts";
import { judgeFile } from "./judge-file.ts";
import { type ProvenanceReport, verifyProvenance } from "./verify-provenance.ts";

export type VerifyOptions = {
  /** `file://`, `http://` or `https://`. */
  readonly url: string;
  readonly trustedRoot: Uint8Array;
  /** What signs SHA256SUMS; those signatures are not checked without it. */
  readonly keyring?: Uint8Array | undefined;
  /** What signs extensions; their images are only hashed without it. */
  readonly certificate?: X509Certificate | undefined;
  /** Whose provenance everything has to have: the URI of a builder. It is not looked at without it. */
  readonly builder?: string | undefined;
  readonly nowMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (step: string) => void;
};

export type RepositoryReport = {
  readonly index: RepositoryIndex;
  readonly problems: readonly string[];
  /** Undefined when it was not asked for. */
  readonly provenance: readonly ProvenanceReport[] | undefined;
};

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
    await check(async () => await judgeRoots(repository, options));
    for (const release of sortedReleases(index)) {
      onProgress(`reading release ${release.version}`);
      for (const file of Object.values(release.files))
        await check(async () => await judgeFile(repository.transport, `releases/${file.name}`, file, { signal }));
      await check(async () => await judgeSummary(repository, release));
    }
    for (const extension of sortedExtensions(index)) {
      onProgress(`reading extension ${extension.name} ${extension.version}`);
      for (const judge of extensionChecks(repository, extension, join(stateDirectory, "image"), options))
        await check(judge);
    }
    for (const directory of sumsDirectories(index)) {
      await check(async () => await judgeSums(repository, directory, options.keyring, signal));
    }
    const provenance = await readProvenance(repository, stateDirectory, options);
    for (const { of, refusals } of provenance ?? [])
      problems.push(...refusals.map(({ message }) => `${of}, provenance: ${message}`));
    return { index, problems, provenance };
  });
}

async function readProvenance(
  repository: Repository,
  stateDirectory: string,
  { trustedRoot, builder, nowMs, signal, onProgress }: VerifyOptions,
): Promise<readonly ProvenanceReport[] | undefined> {
  if (builder === undefined) return undefined;
  const { transport } = repository;
  const roots = await readTrustedRoots({ transport, trustedRoot, stateDirectory, nowMs, signal });
  const workDirectory = join(stateDirectory, "archives");
  return await verifyProvenance(repository, { builder, roots, workDirectory, signal, onProgress });
}

/** The newest root role: which keys are good, whatever has expired. */
export async function readKeys({ url, trustedRoot, nowMs, signal }: VerifyOptions): Promise<KeySummary> {
  return await withTemporaryDirectory(async (stateDirectory) => {
    const transport = createTransport(url);
    return summarizeKeys(await readTrustedRoot({ transport, trustedRoot, stateDirectory, nowMs, signal }));
  });
}

/** Whoever trusts the first root role must find the way to the newest. */
async function judgeRoots(
  { transport }: Repository,
  { trustedRoot, nowMs, signal }: VerifyOptions,
): Promise<string | undefined> {
  const read = async (from: Uint8Array): Promise<number> =>
    await withTemporaryDirectory(async (stateDirectory) => {
      const root = await readTrustedRoot({ transport, trustedRoot: from, stateDirectory, nowMs, signal });
      return root.version;
    });
  const newest = await read(trustedRoot);
  if (newest === 1) return undefined;
  const reached = await read(await readDocument(transport, "metadata/1.root.json", MAX_ROOT_BYTES, signal));
  if (reached === newest) return undefined;
  return `metadata/${reached + 1}.root.json is missing: who trusts an older root role does not come to ${newest}`;
}

async function judgeSummary(repository: Repository, { version }: ReleaseEntry): Promise<string | undefined> {
  const manifest = parseManifest((await repository.readFile(version, "manifest")).toString("utf8"));
  const summary = await repository.readSummary(version);
  if (manifest.version === version && isDeepStrictEqual(summary, summaryOf(manifest))) return undefined;
  return `release ${version}: its manifest and its summary do not agree`;
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
