import type { KeyObject } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import {
  bundleOf,
  CHECKPOINT_PATH,
  entryOf,
  formatEntry,
  isNoteName,
  leavesOf,
  newPlaces,
  pathOf,
  requireNoteSigner,
  TILE_WIDTH,
  signCheckpoint,
  tileOf,
  treeRoot,
  type HistoryEntry,
  type Predicate,
} from "@ashlar/fleet";
import type { Signer } from "@ashlar/statements";
import { withLock, writeFileAtomically, type LockOptions } from "@ashlar/host";
import { certificatePath, logTransport, openLog, type Log } from "./open-log.ts";

export type AppendOptions = {
  /** Made when it is missing. */
  readonly directory: string;
  /** The log's name, for a new one; an old one's must be the same. */
  readonly origin?: string | undefined;
  /** For Ed25519. */
  readonly signer: Signer;
  /** The certificate's file, and what it says: the caller has checked it. */
  readonly text: string;
  readonly predicate: Predicate;
  readonly nowMs: number;
  /** Writes a file whole or not at all. */
  readonly write?: (path: string, bytes: Uint8Array | string) => Promise<void>;
};

export type Appended = { readonly index: number; readonly entry: HistoryEntry; readonly isNew: boolean };

/**
 * Adds a certificate to a log. What is there is checked first, and never changed: the checkpoint is the last thing that is
 * written, so that an interruption leaves the log as it was. A certificate that is there already is not added again.
 *
 * @throws AshlarError `invalid` for another kind of key, or a clock that goes backwards; `usage` without a name for a new log;
 *   `conflict` for a log of another name; `untrusted` for one that the key has not signed
 */
export async function appendCertificate(options: AppendOptions): Promise<Appended> {
  const { directory, signer, text, predicate, nowMs, write = writeInto } = options;
  const { publicKey } = signer;
  requireNoteSigner(signer);
  await mkdir(directory, { recursive: true });
  return await withLock(join(directory, ".lock"), logLock(directory), async () => {
    const log = await openOwn(directory, publicKey);
    const origin = originFor(log, options.origin);
    const entry = entryOf(text, predicate, nowMs);
    const index = log?.entries.findIndex(({ certificate }) => certificate === entry.certificate) ?? -1;
    const existing = log?.entries[index];
    if (existing !== undefined) return { index, entry: existing, isNew: false };
    const last = log?.entries.at(-1);
    if (last !== undefined && Date.parse(last.recordedAt) > nowMs) {
      throw new AshlarError("invalid", `expected a clock after ${last.recordedAt}, found ${entry.recordedAt}`, {
        hint: "the log's last entry is from the future: set the clock",
      });
    }
    const entries = [...(log?.entryBytes ?? []), formatEntry(entry)];
    const leaves = [...(log?.leaves ?? []), ...leavesOf(entries.slice(-1))];
    await write(join(directory, certificatePath(entry.certificate)), text);
    const places = newPlaces(entries.length - 1, entries.length);
    for (const place of places) {
      const { level, index: at, width } = place;
      const first = at * TILE_WIDTH;
      const bytes = level === "entries" ? bundleOf(entries.slice(first, first + width)) : tileOf(place, leaves);
      await write(join(directory, pathOf(place)), bytes);
    }
    const checkpoint = { origin, size: entries.length, root: treeRoot(leaves) };
    await write(join(directory, CHECKPOINT_PATH), signCheckpoint(checkpoint, signer));
    // Nobody needs the part of what is there as a whole.
    for (const place of places.filter(({ width }) => width === TILE_WIDTH)) {
      await rm(join(directory, `${pathOf(place)}.p`), { recursive: true, force: true });
    }
    return { index: entries.length - 1, entry, isNew: true };
  });
}

const LOCK_WAIT_MS = 60_000;

/** Whoever changes a log waits for others that do. */
export function logLock(directory: string): LockOptions {
  return { what: `the history in ${directory}`, holder: "ashlar history", waitMs: LOCK_WAIT_MS };
}

async function openOwn(directory: string, publicKey: KeyObject): Promise<Log | undefined> {
  try {
    return await openLog(logTransport(directory), publicKey);
  } catch (error) {
    if (error instanceof AshlarError && error.code === "not-found" && error.message.includes(CHECKPOINT_PATH)) {
      return undefined;
    }
    throw error;
  }
}

function originFor(log: Log | undefined, origin: string | undefined): string {
  const existing = log?.checkpoint.origin;
  if (existing !== undefined && (origin === undefined || origin === existing)) return existing;
  if (existing !== undefined) {
    throw new AshlarError("conflict", `expected the log ${String(origin)}, found ${existing}`);
  }
  if (origin !== undefined && isNoteName(origin)) return origin;
  const found = origin === undefined ? "none" : JSON.stringify(origin);
  throw new AshlarError(
    "usage",
    `a new log needs a name: expected --origin without spaces and plus signs, found ${found}`,
    {
      hint: "a name that no other log has, such as example.org/fleets/production",
    },
  );
}

async function writeInto(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFileAtomically(path, bytes);
}
