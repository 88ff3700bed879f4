import { AshlarError } from "@ashlar/base";
import { digestOf, type HashName, hashSizeBytes, isHashName } from "../tpm/hash-algorithm.ts";
import type { EventDigests } from "./event-digests.ts";
import { MAX_LOG_BYTES, MAX_LOG_EVENTS, MAX_PCR } from "./limits.ts";

/** What systemd extended after the kernel started, in order: /run/log/systemd/tpm2-measure.log. */
export type UserspaceLog = { readonly events: readonly UserspaceEvent[] };

export type UserspaceEvent = {
  readonly pcr: number;
  readonly digests: EventDigests;
  /**
   * The measured word, only when every digest of the record is its hash; otherwise undefined. Replayed digests are what
   * a quote proves, so that a word which is present is proved with them.
   *
   * A record without word is not refused: systemd itself writes some, whose digest is keyed by a secret (volume keys).
   * Its digest is replayed as any other, and what it measured remains unknown.
   */
  readonly word: string | undefined;
  /** What the record says that it measured, proved or not: for messages only. */
  readonly claimedWord: string;
  /** systemd's name for the kind of event (`phase`, `machine-id`...). No digest covers it: for messages only. */
  readonly eventType: string | undefined;
};

/** RFC 7464: each JSON text follows a record separator and ends with a line feed. */
const RECORD_SEPARATOR = 0x1e;
const LINE_FEED = 0x0a;
const MAX_RECORD_BYTES = 16 * 1024;
/** The TCG's software stack takes at most 16 banks. */
const MAX_DIGESTS = 16;

/**
 * Parses a whole log as systemd writes it: a JSON text sequence of records in the manner of TCG's Canonical Event Log.
 * An empty log is a log without events.
 *
 * @param known for many logs: records that were read before
 * @throws AshlarError `malformed`, or `limit` for more than 1 MiB, 8192 records or 16 KiB in one record.
 */
export function parseUserspaceLog(bytes: Uint8Array, known?: UserspaceRecords): UserspaceLog {
  if (bytes.length > MAX_LOG_BYTES) {
    throw new AshlarError("limit", `userspace log: expected at most ${MAX_LOG_BYTES} bytes, found ${bytes.length}`);
  }
  const events: UserspaceEvent[] = [];
  for (let start = 0; start < bytes.length;) {
    const where = `userspace log, record ${events.length + 1} at offset ${start}`;
    if (events.length === MAX_LOG_EVENTS) {
      throw new AshlarError("limit", `${where}: expected at most ${MAX_LOG_EVENTS} records`);
    }
    if (bytes[start] !== RECORD_SEPARATOR) fail(where, "expected a record separator (0x1e)");
    const end = bytes.indexOf(LINE_FEED, start);
    if (end === -1) fail(where, "expected a line feed at its end, found the end of the log");
    if (end - start > MAX_RECORD_BYTES) {
      throw new AshlarError("limit", `${where}: expected at most ${MAX_RECORD_BYTES} bytes, found ${end - start}`);
    }
    const text = bytes.subarray(start + 1, end);
    events.push(known?.read(text, where) ?? parseRecord(text, where));
    start = end + 1;
  }
  return { events };
}

/** Records by their bytes: all but a few of a machine's are those of every machine like it. */
export class UserspaceRecords {
  readonly #read = new Map<string, UserspaceEvent>();

  /** @throws AshlarError as {@link parseUserspaceLog} */
  read(text: Uint8Array, where: string): UserspaceEvent {
    const key = Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1");
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const event = parseRecord(text, where);
    if (this.#read.size === MAX_KEPT_RECORDS) this.#read.clear();
    this.#read.set(key, event);
    return event;
  }
}

/** About 1 kB each, of which a kind of machines has a dozen. What names one machine passes through. */
const MAX_KEPT_RECORDS = 512;

function parseRecord(text: Uint8Array, where: string): UserspaceEvent {
  const record = objectOf(jsonOf(text, where), "the record", where);
  const { pcr } = record;
  if (typeof pcr !== "number" || !Number.isInteger(pcr) || pcr < 0 || pcr > MAX_PCR) {
    fail(where, `pcr: expected 0 to ${MAX_PCR}, found ${JSON.stringify(pcr)}`);
  }
  const digests = digestsOf(record["digests"], where);
  if (record["content_type"] !== "systemd") {
    fail(where, `content_type: expected "systemd", found ${JSON.stringify(record["content_type"])?.slice(0, 40)}`);
  }
  const content = objectOf(record["content"], "content", where);
  const { string: claimedWord, eventType } = content;
  if (typeof claimedWord !== "string") fail(where, "content.string: expected a string");
  if (eventType !== undefined && typeof eventType !== "string") fail(where, "content.eventType: expected a string");
  const word = isMeasuredAs(claimedWord, digests) ? claimedWord : undefined;
  return { pcr, digests, word, claimedWord, eventType };
}

function isMeasuredAs(word: string, digests: EventDigests): boolean {
  // A lone surrogate has no UTF-8 form: its replacement character would let two words share a hash.
  if (!word.isWellFormed()) return false;
  const bytes = Buffer.from(word, "utf8");
  const names = Object.keys(digests).filter(isHashName);
  return names.length > 0 && names.every((name) => digestOf(name, bytes).every((b, i) => b === digests[name]?.[i]));
}

function digestsOf(value: unknown, where: string): EventDigests {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_DIGESTS) {
    fail(where, `digests: expected a list of 1 to ${MAX_DIGESTS}`);
  }
  const digests: { -readonly [Name in HashName]?: Uint8Array } = {};
  for (const item of value) {
    const { hashAlg, digest } = objectOf(item, "digests", where);
    if (typeof hashAlg !== "string") fail(where, "digests.hashAlg: expected a string");
    // A bank that Ashlar cannot compute (SM3) says nothing to it.
    if (!isHashName(hashAlg)) continue;
    if (digests[hashAlg] !== undefined) fail(where, `digests.hashAlg: ${hashAlg} occurs twice`);
    const sizeBytes = hashSizeBytes(hashAlg);
    if (typeof digest !== "string" || digest.length !== 2 * sizeBytes || !/^[0-9a-f]*$/u.test(digest)) {
      fail(where, `digests.digest: expected ${2 * sizeBytes} lower-case hexadecimal digits for ${hashAlg}`);
    }
    digests[hashAlg] = Buffer.from(digest, "hex");
  }
  return digests;
}

/** Making one takes longer than decoding a record. */
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function jsonOf(text: Uint8Array, where: string): unknown {
  try {
    return JSON.parse(UTF_8.decode(text));
  } catch {
    return fail(where, "expected JSON in UTF-8");
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

function objectOf(value: unknown, field: string, where: string): JsonObject {
  return isObject(value) ? value : fail(where, `${field}: expected an object`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fail(where: string, message: string): never {
  throw new AshlarError("malformed", `${where}: ${message}`);
}
