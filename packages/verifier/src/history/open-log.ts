/**
 * A fleet's history: certificates in an append-only log, as files of a directory or of any web server. The log's own files
 * are those of C2SP, tlog-tiles.md; a certificate is `certificates/SHA256.json`.
 */
import { createHash, type KeyObject } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AshlarError } from "@ashlar/base";
import {
  CHECKPOINT_PATH,
  entryPlaces,
  leavesOf,
  MAX_BUNDLE_BYTES,
  MAX_CERTIFICATE_BYTES,
  MAX_CHECKPOINT_BYTES,
  openCheckpoint,
  originOf,
  parseBundle,
  parseCertificate,
  parseEntry,
  pathOf,
  treeRoot,
  type Checkpoint,
  type FleetCertificate,
  type HistoryEntry,
} from "@ashlar/fleet";
import { createTransport, readDocument, type Transport } from "@ashlar/repository";

/** What was read, and is what the key has signed. */
export type Log = {
  readonly transport: Transport;
  readonly checkpoint: Checkpoint;
  /** As it was signed. */
  readonly note: string;
  readonly entries: readonly HistoryEntry[];
  /** As they stand in the log. */
  readonly entryBytes: readonly Buffer[];
  /** The hashes of the entries, in their order. */
  readonly leaves: readonly Buffer[];
};

/** How many entries are read at most: one an hour for over a century. */
const MAX_ENTRIES = 1_000_000;

/** @param place a directory, or a URL */
export function logTransport(place: string): Transport {
  return createTransport(/^[a-z]+:\/\//u.test(place) ? place : `${pathToFileURL(resolve(place)).href}/`);
}

/**
 * Reads all entries, and holds them to the root that the key has signed.
 *
 * @throws AshlarError `not-found` without a log, `untrusted` when it is not what was signed, `malformed`, `unavailable`
 */
export async function openLog(transport: Transport, publicKey: KeyObject, signal?: AbortSignal): Promise<Log> {
  const { note, checkpoint } = await readCheckpoint(transport, publicKey, signal);
  const entryBytes = await readEntries(transport, checkpoint, signal);
  const leaves = leavesOf(entryBytes);
  if (!treeRoot(leaves).equals(checkpoint.root)) {
    throw new AshlarError("untrusted", `${transport.url}: its entries are not those that were signed`, {
      hint: "`ashlar history verify` says which",
    });
  }
  return { transport, checkpoint, note, entries: entryBytes.map(parseEntry), entryBytes, leaves };
}

/** @throws AshlarError `not-found`, `untrusted`, `malformed` */
export async function readCheckpoint(
  transport: Transport,
  publicKey: KeyObject,
  signal: AbortSignal | undefined,
): Promise<{ readonly note: string; readonly checkpoint: Checkpoint }> {
  const bytes = await readDocument(transport, CHECKPOINT_PATH, MAX_CHECKPOINT_BYTES, signal);
  const note = bytes.toString("utf8");
  const checkpoint = openCheckpoint(note, { name: originOf(note), publicKey });
  if (checkpoint.size <= MAX_ENTRIES) return { note, checkpoint };
  throw new AshlarError("limit", `${transport.url}: expected at most ${MAX_ENTRIES} entries, found ${checkpoint.size}`);
}

/** The entries as they are there: nothing of them is checked. */
export async function readEntries(
  transport: Transport,
  { size }: Checkpoint,
  signal: AbortSignal | undefined,
): Promise<Buffer[]> {
  const entries: Buffer[] = [];
  for (const place of entryPlaces(size)) {
    const bytes = await readDocument(transport, pathOf(place), MAX_BUNDLE_BYTES, signal);
    entries.push(...parseBundle(bytes, place.width));
  }
  return entries;
}

/** Where a certificate is. */
export function certificatePath(sha256: string): string {
  return `certificates/${sha256}.json`;
}

/** @throws AshlarError `not-found`, `untrusted` when it is not the one that the entry names, `malformed` */
export async function readLoggedCertificate(
  transport: Transport,
  { certificate: sha256 }: HistoryEntry,
  signal?: AbortSignal,
): Promise<FleetCertificate> {
  const path = certificatePath(sha256);
  const bytes = await readDocument(transport, path, MAX_CERTIFICATE_BYTES, signal);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) {
    throw new AshlarError("untrusted", `${path} is not the certificate that the log names`);
  }
  const certificate = parseCertificate(bytes.toString("utf8"));
  if (certificate.kind === "fleet") return certificate;
  throw new AshlarError("malformed", `${path}: expected a certificate of a fleet, found a proof for one node`);
}
