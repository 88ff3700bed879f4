import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { isDirectorySync, listDirectory, readOptional, readOptionalSync } from "@ashlar/host";
import type { ReadFile } from "./answer.ts";
import { EvidenceArchive } from "./archive.ts";
import { ANSWER, MAX_NODES, SHARED_CONTENT, SHARED_NAMES } from "./layout.ts";

/** Where evidence is: in a directory, by its path, or in an archive that has been opened. */
export type EvidencePlace = string | EvidenceArchive;

/** Files of others may lie beside ours, within reason. */
export const MAX_OTHERS = 1000;

/** An archive when there is a file, else the directory that is there or not. Dispose it when it is read. */
export async function openEvidence(path: string): Promise<OpenedEvidence> {
  const found = await lstat(path).catch(() => undefined);
  const place = found === undefined || found.isDirectory() ? path : EvidenceArchive.open(path);
  return {
    place,
    [Symbol.dispose]: () => {
      if (typeof place !== "string") place[Symbol.dispose]();
    },
  };
}

export type OpenedEvidence = Disposable & { readonly place: EvidencePlace };

export function pathOf(place: EvidencePlace): string {
  return typeof place === "string" ? place : place.path;
}

/** A node's files; undefined when there are none. Only regular files are read, and no links followed out of an archive. */
export function filesOfNode(place: EvidencePlace, name: string): NodeFiles | undefined {
  if (typeof place === "string") {
    const directory = join(place, name);
    if (!isDirectorySync(directory)) return undefined;
    return { readFile: (file, maxBytes) => readOptionalSync(join(directory, file), maxBytes) };
  }
  const entries = place.entriesOf(name);
  return entries && { readFile: place.filesIn(name, entries), entries };
}

/** A node's files; of an archive with the bytes that they are read from. */
type NodeFiles = { readonly readFile: ReadFile; readonly entries?: Uint8Array };

/** A file that lies beside the nodes. @throws AshlarError */
export async function readFleetFile(place: EvidencePlace, path: string, maxBytes: number): Promise<Buffer | undefined> {
  return typeof place === "string" ? await readOptional(join(place, path), maxBytes) : place.read(path, maxBytes);
}

/** The names of the files in a folder beside the nodes. @throws AshlarError */
export async function listFleetFiles(
  place: EvidencePlace,
  folder: string,
  maxFiles: number,
): Promise<readonly string[]> {
  if (typeof place === "string") {
    const entries = await listDirectory(join(place, folder), maxFiles + MAX_OTHERS);
    return entries.map(({ name }) => name);
  }
  const start = `${folder}/`;
  const paths = [...place.index.fleet.keys()].filter((path) => path.startsWith(start));
  return paths.map((path) => path.slice(start.length)).toSorted();
}

/** Names of those that have an answer, and are not among these. @throws AshlarError */
export async function findStrangers(place: EvidencePlace, nodes: readonly string[]): Promise<string[]> {
  const known = new Set([...nodes, ...SHARED_NAMES, SHARED_CONTENT]);
  if (typeof place !== "string") return [...place.index.answered].filter((name) => !known.has(name)).toSorted();
  const unknown: string[] = [];
  for (const entry of await listDirectory(place, MAX_NODES + MAX_OTHERS, { links: "follow" })) {
    if (!entry.isDirectory() || known.has(entry.name) || entry.name.startsWith(".")) continue;
    const inside = await listDirectory(join(place, entry.name), MAX_OTHERS);
    if (inside.some(({ name }) => name === ANSWER)) unknown.push(entry.name);
  }
  return unknown;
}
