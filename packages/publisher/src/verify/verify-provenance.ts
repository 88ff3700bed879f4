import type { KeyObject } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { digestFile, run, runForText } from "@ashlar/host";
import { publicKeyOf } from "@ashlar/keys";
import { parseExtensionManifest, parseManifest, type ReleaseManifest } from "@ashlar/protocol/answers";
import type { Repository } from "@ashlar/repository";
import {
  type ExtensionEntry,
  extensionDirectory,
  type PublishedFile,
  type ReleaseEntry,
  sortedExtensions,
  sortedReleases,
} from "@ashlar/repository-index";
import {
  checkProvenance,
  type ExpectedProvenance,
  MAX_SIGNED_PROVENANCE_BYTES,
  type ProvenanceRefusal,
} from "@ashlar/statements";
import type { Root } from "@tufjs/models";
import { expectedOfExtension, expectedOfRelease } from "../publish/expected-provenance.ts";
import { goodKeys } from "../publish/root-role.ts";
import { judgeFile } from "./judge-file.ts";

/** What is known of where something published came from. */
export type ProvenanceReport = {
  /** `release VERSION` or `extension NAME VERSION`. */
  readonly of: string;
  /** Null when nothing that was signed can be told. */
  readonly builder: string | null;
  /** Of Ashlar itself; null when it was built from files that are no commit. */
  readonly sourceCommit: string | null;
  readonly dependencies: number;
  /** Empty when everything holds. */
  readonly refusals: readonly {
    readonly code: ProvenanceRefusal["code"] | "missing" | "archive" | "unreadable";
    readonly message: string;
  }[];
};

export type ProvenanceOptions = {
  /** The URI of whoever has to have built everything. */
  readonly builder: string;
  /** From the one that is trusted to the newest: whoever could publish at some time could sign. */
  readonly roots: readonly Root[];
  /** For files that are unpacked. */
  readonly workDirectory: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((step: string) => void) | undefined;
};

type Found = Pick<ProvenanceReport, "builder" | "sourceCommit" | "dependencies" | "refusals">;

/** Checks the provenance of everything that is published, without asking anybody but the repository. */
export async function verifyProvenance(
  repository: Repository,
  options: ProvenanceOptions,
): Promise<readonly ProvenanceReport[]> {
  const { index } = repository;
  const publicKeys = options.roots.flatMap((root) => goodKeys(root).targets.keys.map(publicKeyOf));
  const reports: ProvenanceReport[] = [];
  const check = async (of: string, look: () => Promise<Found>): Promise<void> => {
    options.onProgress?.(`checking the provenance of ${of}`);
    try {
      reports.push({ of, ...(await look()) });
    } catch (error) {
      if (!(error instanceof AshlarError) || error.code === "interrupted") throw error;
      reports.push({ of, ...refused("unreadable", error.message) });
    }
  };
  for (const release of sortedReleases(index)) {
    await check(`release ${release.version}`, async () => await judgeRelease(repository, release, publicKeys, options));
  }
  for (const extension of sortedExtensions(index)) {
    await check(
      `extension ${extension.name} ${extension.version}`,
      async () => await judgeExtension(repository, extension, publicKeys, options),
    );
  }
  return reports;
}

async function judgeRelease(
  repository: Repository,
  { files }: ReleaseEntry,
  publicKeys: readonly KeyObject[],
  options: ProvenanceOptions,
): Promise<Found> {
  const read = async (file: PublishedFile): Promise<string> => await readText(repository, "releases", file);
  if (files.provenance === undefined) return MISSING;
  const manifest = parseManifest(await read(files.manifest));
  const digests = { manifest: files.manifest.sha256, sbom: files.sbom.sha256 };
  const expected = expectedOfRelease(manifest, digests, await read(files.sbom));
  const found = judge(await readSigned(repository, "releases", files.provenance), expected, publicKeys, options);
  const more = await judgeArchives(repository, files, manifest, options);
  return { ...found, refusals: [...found.refusals, ...more] };
}

async function judgeExtension(
  repository: Repository,
  { name, files }: ExtensionEntry,
  publicKeys: readonly KeyObject[],
  options: ProvenanceOptions,
): Promise<Found> {
  const directory = extensionDirectory(name);
  if (files.provenance === undefined) return MISSING;
  const manifest = parseExtensionManifest(await readText(repository, directory, files.manifest));
  const digests = { manifest: files.manifest.sha256, sbom: files.sbom.sha256 };
  const expected = expectedOfExtension(manifest, digests, await readText(repository, directory, files.sbom));
  return judge(await readSigned(repository, directory, files.provenance), expected, publicKeys, options);
}

const MISSING: Found = refused("missing", "expected provenance, found none: it was published without");

function refused(code: "missing" | "unreadable", message: string): Found {
  return { builder: null, sourceCommit: null, dependencies: 0, refusals: [{ code, message }] };
}

function judge(
  text: string,
  expected: Omit<ExpectedProvenance, "builder">,
  publicKeys: readonly KeyObject[],
  { builder }: ProvenanceOptions,
): Found {
  const { provenance, refusals } = checkProvenance(text, { ...expected, builder, publicKeys });
  const materials = provenance?.predicate.buildDefinition.resolvedDependencies ?? [];
  return {
    builder: provenance?.predicate.runDetails.builder.id ?? null,
    sourceCommit: materials.find(({ name }) => name === "ashlar")?.digest["gitCommit"] ?? null,
    dependencies: materials.length,
    refusals,
  };
}

/** What plain systemd-sysupdate fetches is compressed: what is inside has to be what was built. */
async function judgeArchives(
  repository: Repository,
  files: ReleaseEntry["files"],
  { usr, uki }: ReleaseManifest,
  { workDirectory, signal }: ProvenanceOptions,
): Promise<ProvenanceReport["refusals"]> {
  const refusals: { code: "archive"; message: string }[] = [];
  await mkdir(workDirectory, { recursive: true });
  for (const [file, sizeBytes, sha256] of [
    [files.usrArchive, usr.dataSizeBytes, usr.sha256],
    [files.verityArchive, usr.verity.sizeBytes, usr.verity.sha256],
    [files.ukiArchive, uki.sizeBytes, uki.sha256],
  ] as const) {
    const path = join(workDirectory, "archive.xz");
    const problem =
      (await judgeFile(repository.transport, `releases/${file.name}`, file, { signal, copy: path })) ??
      (await judgeContent(path, { sizeBytes, sha256 }, signal));
    if (problem !== undefined) refusals.push({ code: "archive", message: `${file.name}: ${problem}` });
  }
  return refusals;
}

async function judgeContent(
  path: string,
  expected: { readonly sizeBytes: number; readonly sha256: string },
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const content = path.replace(/\.xz$/u, "");
  try {
    // Looked at before it is unpacked: a small archive can hold very much.
    const listed = await runForText("xz", ["--robot", "--list", path], { signal });
    const sizeBytes = Number(/^file(?:\t[^\t\n]*){3}\t(?<size>\d+)\t/mu.exec(listed)?.groups?.["size"]);
    if (sizeBytes !== expected.sizeBytes) return `expected ${expected.sizeBytes} bytes inside, found ${sizeBytes}`;
    await run("xz", ["--decompress", "--force", path], { signal });
    const { digest } = await digestFile(content, { signal });
    return digest === expected.sha256
      ? undefined
      : `expected a file with SHA-256 ${expected.sha256} inside, found ${digest}`;
  } finally {
    await rm(content, { force: true });
    await rm(path, { force: true });
  }
}

async function readSigned(repository: Repository, directory: string, file: PublishedFile): Promise<string> {
  if (file.sizeBytes > MAX_SIGNED_PROVENANCE_BYTES) {
    const limit = `expected provenance of at most ${MAX_SIGNED_PROVENANCE_BYTES} bytes, found ${file.sizeBytes}`;
    throw new AshlarError("limit", limit);
  }
  return await readText(repository, directory, file);
}

async function readText({ readPublished }: Repository, directory: string, file: PublishedFile): Promise<string> {
  return (await readPublished(directory, file)).toString("utf8");
}
