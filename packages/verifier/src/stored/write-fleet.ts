import { lstat, mkdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { isDirectory, isMissing, kindOf, listDirectory, writeFileAtomically } from "@ashlar/host";
import type { KnownExtension } from "@ashlar/identity";
import type { KnownRelease } from "@ashlar/protocol/answers";
import { refuseNodeName } from "../node-name.ts";
import { fleetDocument } from "./fleet-document.ts";
import {
  CLOUD_ROOTS,
  EK_ROOTS,
  EXTENSIONS,
  FLEET,
  MANIFEST,
  NODE_FILES,
  RELEASE_FILE,
  RELEASES,
  SHARED_NAMES,
} from "./layout.ts";
import { MAX_RELEASES, MAX_RELEASES_BYTES, readNodeNames, type StoredFleet } from "./read-fleet.ts";

/**
 * Makes a directory ready for the evidence of a fleet, whose nodes' answers are written next. What an earlier run has
 * kept there is replaced, by these files' names: the directory holds the evidence of one run. Nothing else in it is
 * touched, and no link followed.
 *
 * @throws AshlarError `usage` when it is not empty and holds no evidence, when other files are where evidence is to be, or
 *   for a node whose name cannot be a directory's; nothing has changed then
 */
export async function writeStoredFleet(directory: string, fleet: StoredFleet): Promise<void> {
  const { nodes } = fleet;
  refuseNames(nodes);
  const before = await checkDirectory(directory);
  const outdated = [...new Set([...before, ...nodes])];
  for (const name of outdated) await checkNode(join(directory, name));
  const releases = await checkReleases(join(directory, RELEASES));

  await mkdir(directory, { recursive: true });
  for (const name of outdated) await removeNode(join(directory, name));
  const files = filesOfFleet(fleet);
  for (const name of [EK_ROOTS, CLOUD_ROOTS]) if (!files.has(name)) await removeFile(join(directory, name));
  for (const name of releases) await removeFile(join(directory, RELEASES, name));
  await mkdir(join(directory, RELEASES), { recursive: true });
  for (const [path, text] of files) await writeFileAtomically(join(directory, path), text);
}

/**
 * What lies beside the nodes, by path; `fleet.json`, which makes evidence of it, comes last.
 *
 * @throws AshlarError `usage` for a node whose name cannot be a directory's
 */
export function filesOfFleet(fleet: StoredFleet): ReadonlyMap<string, string> {
  const { nodes, manifest, ekRoots, cloudRoots, known, extensions } = fleet;
  refuseNames(nodes);
  const files = new Map([[MANIFEST, manifest]]);
  if (ekRoots !== undefined) files.set(EK_ROOTS, ekRoots);
  if (cloudRoots !== undefined) files.set(CLOUD_ROOTS, cloudRoots);
  for (const [name, text] of releaseFiles(known)) files.set(join(RELEASES, name), text);
  files.set(EXTENSIONS, format(extensions.map(withoutMore)));
  return files.set(FLEET, format(fleetDocument(nodes)));
}

function refuseNames(nodes: readonly string[]): void {
  for (const name of nodes) refuseNodeName(name);
  const reserved = nodes.find((name) => SHARED_NAMES.has(name));
  if (reserved !== undefined) throw new AshlarError("usage", `expected a node's name, found the file ${reserved}`);
}

/** More than any directory of evidence that is worth looking through. */
const MAX_ENTRIES = 1_000_000;

/** The names of nodes whose evidence is there. */
async function checkDirectory(directory: string): Promise<readonly string[]> {
  const entries = await listDirectory(directory, MAX_ENTRIES, { links: "follow" });
  if (entries.length === 0) return [];
  for (const entry of entries) {
    const isFile = SHARED_NAMES.has(entry.name) && entry.name !== RELEASES;
    if (isFile && !entry.isFile()) throw refusal(join(directory, entry.name), `found ${kindOf(entry)}`);
  }
  let nodes;
  try {
    nodes = await readNodeNames(directory);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    throw refusal(directory, `found another file ${FLEET}: ${error.message}`);
  }
  if (nodes === undefined) throw refusal(directory, `found ${entries[0]?.name ?? "files"} and no ${FLEET}`);
  return nodes;
}

async function checkNode(place: string): Promise<void> {
  for (const entry of await listOurs(place)) {
    if (NODE_FILES.has(entry.name) && entry.isFile()) continue;
    throw refusal(place, `found ${kindOf(entry)} ${entry.name} in it`);
  }
}

/** Names of the releases that were known. What else lies there stays. */
async function checkReleases(place: string): Promise<string[]> {
  const entries = (await listOurs(place)).filter(({ name }) => RELEASE_FILE.test(name));
  const other = entries.find((entry) => !entry.isFile());
  if (other !== undefined) throw refusal(place, `found ${kindOf(other)} ${other.name} in it`);
  return entries.map(({ name }) => name);
}

async function listOurs(place: string): ReturnType<typeof listDirectory> {
  try {
    return await listDirectory(place, MAX_ENTRIES);
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code !== "invalid") throw error;
    throw refusal(place, error.message);
  }
}

function refusal(place: string, found: string): AshlarError {
  return new AshlarError("usage", `expected a new or empty directory, or one of evidence, at ${place}, ${found}`, {
    hint: "choose another directory for --evidence: nothing of this one has been changed",
  });
}

/** Removes what is stored of a node, file by file: whatever else has come into its directory keeps it. */
export async function removeNode(place: string): Promise<void> {
  if (!(await isDirectory(place))) return;
  for (const name of NODE_FILES) await removeFile(join(place, name));
  await rmdir(place).catch((error: unknown) => {
    throw new AshlarError("usage", `${place}: expected only evidence of a node, found other files`, { cause: error });
  });
}

/** Only ever removes a regular file. */
async function removeFile(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isFile()) await unlink(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** A release's files only help to name what differs: where all of them would be too much, later releases go without. */
function releaseFiles(known: readonly KnownRelease[]): [string, string][] {
  let remainingBytes = MAX_RELEASES_BYTES / 2;
  const each = new Map(known.map((release) => [release.uki.sha256, release]));
  return [...each.values()].slice(0, MAX_RELEASES).map((release) => {
    const whole = `${JSON.stringify(release)}\n`;
    const text = Buffer.byteLength(whole) > remainingBytes ? `${JSON.stringify(summaryOf(release))}\n` : whole;
    if (text === whole) remainingBytes -= Buffer.byteLength(whole);
    return [`${release.uki.sha256}.json`, text];
  });
}

function summaryOf({ packages: _packages, files: _files, ...summary }: KnownRelease): KnownRelease {
  return summary;
}

/** What comes out of a repository's index has more members. */
function withoutMore({ kind, name, version, tier, rootHash, withdrawn }: KnownExtension): KnownExtension {
  const reason = withdrawn === undefined ? {} : { withdrawn: { reason: withdrawn.reason } };
  return { kind, name, version, tier, rootHash, ...reason };
}

function format(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
