import type { KeyObject } from "node:crypto";
import { AshlarError, messageOf } from "@ashlar/base";
import {
  checkCertificate,
  type Checkpoint,
  type Cosignature,
  leavesOf,
  MAX_TILE_BYTES,
  parseEntry,
  type NoteKey,
  parseTile,
  pathOf,
  readCosignatures,
  TILE_WIDTH,
  tilePlaces,
  tileOf,
  treeRoot,
  type HistoryEntry,
} from "@ashlar/fleet";
import { readDocument, type Transport } from "@ashlar/repository";
import { readCheckpoint, readEntries, readLoggedCertificate } from "./open-log.ts";

/** Why a log is not believed: for programs. */
export type LogProblemCode =
  | "entry-changed"
  | "entry-unreadable"
  | "tile-missing"
  | "tile-changed"
  | "other-root"
  | "rolled-back"
  | "rewritten"
  | "other-log"
  | "not-witnessed"
  | "certificate-missing"
  | "certificate-changed"
  | "certificate-refused";

export type LogProblem = { readonly code: LogProblemCode; readonly message: string };

export type LogReport = {
  readonly checkpoint: Checkpoint;
  /** As it was signed: what to remember. */
  readonly note: string;
  readonly problems: readonly LogProblem[];
  /** Of the witnesses that were asked for, those that have cosigned this checkpoint. */
  readonly cosignatures: readonly Cosignature[];
};

/** Witnesses, and how many of them have to have seen what is shown. */
export type Quorum = { readonly witnesses: readonly NoteKey[]; readonly least: number };

export type VerifyLogOptions = {
  /** The log's. */
  readonly publicKey: KeyObject;
  /** Of whoever signs certificates. */
  readonly certificateKey: KeyObject;
  /** What the log had signed before. */
  readonly remembered?: Checkpoint | undefined;
  readonly quorum?: Quorum | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is told after each certificate how many of them were read. */
  readonly onProgress?: (done: number, all: number) => void;
};

/**
 * Reads every file of a log and compares it with what was signed, now and before.
 *
 * @throws AshlarError what `openLog` throws of a checkpoint: without one there is nothing to compare with
 */
export async function verifyLog(transport: Transport, options: VerifyLogOptions): Promise<LogReport> {
  const { publicKey, remembered, quorum, signal } = options;
  const { note, checkpoint } = await readCheckpoint(transport, publicKey, signal);
  const cosignatures = readCosignatures(note, quorum?.witnesses ?? []);
  let entryBytes: Buffer[];
  try {
    entryBytes = await readEntries(transport, checkpoint, signal);
  } catch (error) {
    if (!(error instanceof AshlarError) || !["not-found", "malformed", "limit"].includes(error.code)) throw error;
    return { checkpoint, note, cosignatures, problems: [{ code: "entry-unreadable", message: error.message }] };
  }
  const leaves = leavesOf(entryBytes);
  const problems = await checkTiles(transport, leaves, signal);
  if (!treeRoot(leaves).equals(checkpoint.root)) {
    problems.push({ code: "other-root", message: "expected the root that was signed, found entries with another one" });
  }
  problems.push(...checkRemembered(remembered, checkpoint, leaves), ...checkQuorum(quorum, cosignatures));
  // Of a log that is not what was signed, no entry says anything.
  if (problems.length === 0)
    problems.push(...(await checkCertificates(transport, entryBytes.map(parseEntry), options)));
  return { checkpoint, note, cosignatures, problems };
}

async function checkTiles(
  transport: Transport,
  leaves: readonly Buffer[],
  signal: AbortSignal | undefined,
): Promise<LogProblem[]> {
  const problems: LogProblem[] = [];
  for (const place of tilePlaces(leaves.length)) {
    const path = pathOf(place);
    let found;
    try {
      found = await readDocument(transport, path, MAX_TILE_BYTES, signal);
      const hashes = parseTile(found, place.width);
      const changed = leaves
        .slice(place.index * TILE_WIDTH, place.index * TILE_WIDTH + place.width)
        .findIndex((leaf, at) => place.level === 0 && hashes[at]?.equals(leaf) === false);
      if (changed !== -1) {
        const message = `entry ${place.index * TILE_WIDTH + changed} is not the one that ${path} has the hash of`;
        problems.push({ code: "entry-changed", message });
      } else if (!found.equals(tileOf(place, leaves))) {
        problems.push({ code: "tile-changed", message: `${path}: expected the hashes of its entries, found others` });
      }
    } catch (error) {
      if (!(error instanceof AshlarError)) throw error;
      if (error.code === "not-found") problems.push({ code: "tile-missing", message: `${path}: expected a tile` });
      else if (error.code === "malformed" || error.code === "limit") {
        problems.push({ code: "tile-changed", message: `${path}: ${error.message}` });
      } else throw error;
    }
  }
  return problems;
}

function checkRemembered(
  remembered: Checkpoint | undefined,
  { origin, size }: Checkpoint,
  leaves: readonly Buffer[],
): LogProblem[] {
  if (remembered === undefined) return [];
  if (remembered.origin !== origin) {
    return [{ code: "other-log", message: `expected the log ${remembered.origin}, found ${origin}` }];
  }
  if (remembered.size > size) {
    const message = `expected at least the ${remembered.size} entries of before, found ${size}: some were removed`;
    return [{ code: "rolled-back", message }];
  }
  if (treeRoot(leaves.slice(0, remembered.size)).equals(remembered.root)) return [];
  const message = `expected the first ${remembered.size} entries as they were before, found others`;
  return [{ code: "rewritten", message }];
}

/** Also of the checkpoint in a proof. */
export function checkQuorum(quorum: Quorum | undefined, cosignatures: readonly Cosignature[]): LogProblem[] {
  if (quorum === undefined || cosignatures.length >= quorum.least) return [];
  const found = cosignatures.length === 0 ? "none" : cosignatures.map(({ witness }) => witness).join(", ");
  const message = `expected cosignatures of this checkpoint by ${quorum.least} of ${quorum.witnesses.length} witnesses, found ${found}`;
  return [{ code: "not-witnessed", message }];
}

async function checkCertificates(
  transport: Transport,
  entries: readonly HistoryEntry[],
  { certificateKey, signal, onProgress }: VerifyLogOptions,
): Promise<LogProblem[]> {
  const problems: LogProblem[] = [];
  for (const [index, entry] of entries.entries()) {
    const problem = await checkLogged(transport, entry, certificateKey, signal);
    if (problem !== undefined) problems.push({ ...problem, message: `entry ${index}: ${problem.message}` });
    onProgress?.(index + 1, entries.length);
  }
  return problems;
}

async function checkLogged(
  transport: Transport,
  entry: HistoryEntry,
  publicKey: KeyObject,
  signal: AbortSignal | undefined,
): Promise<LogProblem | undefined> {
  let certificate;
  try {
    certificate = await readLoggedCertificate(transport, entry, signal);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    if (error.code === "not-found") return { code: "certificate-missing", message: messageOf(error) };
    if (error.code === "unavailable" || error.code === "interrupted") throw error;
    return { code: "certificate-changed", message: messageOf(error) };
  }
  const { predicate, refusals } = checkCertificate(certificate, { publicKey, nowMs: Date.parse(entry.issuedAt) });
  const [refusal] = refusals;
  if (refusal !== undefined) return { code: "certificate-refused", message: `${refusal.code}: ${refusal.message}` };
  if (predicate?.issuedAt === entry.issuedAt && predicate.tree.root === entry.tree.root) return undefined;
  return { code: "certificate-refused", message: "its certificate says something else than the log" };
}
