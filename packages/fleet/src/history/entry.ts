import { createHash } from "node:crypto";
import { canonicalJson } from "@ashlar/base";
import { parseOwnDocument } from "@ashlar/protocol/answers";
import { z } from "zod";
import { digest, MAX_NODES, time } from "../certificate/node-record.ts";
import type { Predicate } from "../certificate/statement.ts";
import { MAX_ENTRY_BYTES } from "./tiles.ts";

export const ENTRY_SCHEMA = "ashlar.history-entry/v1";

/** What a log says of one certificate. It shows no node: a log can be public whose certificates are not. */
export type HistoryEntry = {
  readonly schema: typeof ENTRY_SCHEMA;
  /** SHA-256 of the certificate's file. */
  readonly certificate: string;
  /** RFC 3339: when it came into the log, by the clock of whoever keeps it. */
  readonly recordedAt: string;
  readonly issuedAt: string;
  readonly verdict: Predicate["verdict"];
  /** Of the certificate's own tree, over its nodes. */
  readonly tree: Predicate["tree"];
  /** SHA-256 of the fleet file. */
  readonly fleet: string | null;
};

const entrySchema: z.ZodType<HistoryEntry> = z.strictObject({
  schema: z.literal(ENTRY_SCHEMA),
  certificate: digest.describe("SHA-256 of the certificate's file"),
  recordedAt: time.describe("When it came into the log, by the clock of whoever keeps it"),
  issuedAt: time,
  verdict: z.enum(["proven", "mismatch", "unknown"]),
  tree: z.strictObject({ size: z.int().min(0).max(MAX_NODES), root: digest }).describe("Over the certificate's nodes"),
  fleet: digest.nullable().describe("SHA-256 of the fleet file"),
});

export function entryOf(text: string, predicate: Predicate, recordedAtMs: number): HistoryEntry {
  return {
    schema: ENTRY_SCHEMA,
    certificate: createHash("sha256").update(text).digest("hex"),
    recordedAt: new Date(recordedAtMs).toISOString(),
    issuedAt: predicate.issuedAt,
    verdict: predicate.verdict,
    tree: predicate.tree,
    fleet: predicate.fleet?.sha256 ?? null,
  };
}

/** As it stands in the log: canonical JSON (RFC 8785). */
export function formatEntry(entry: HistoryEntry): Buffer {
  return Buffer.from(canonicalJson(entry));
}

/** @throws AshlarError `malformed` */
export function parseEntry(bytes: Uint8Array): HistoryEntry {
  return parseOwnDocument(Buffer.from(bytes).toString("utf8"), entrySchema, "history entry", MAX_ENTRY_BYTES);
}

export function historyEntryJsonSchema(): object {
  return {
    $id: "urn:ashlar:history-entry:v1",
    title: "An entry of a fleet's history: that a certificate was issued",
    ...z.toJSONSchema(entrySchema),
  };
}
