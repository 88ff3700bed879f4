import { createHash } from "node:crypto";
import { canonicalJson } from "@ashlar/base";
import { LEVELS, type Level } from "@ashlar/identity";
import { EXTENSION_KINDS, type ExtensionKind } from "@ashlar/protocol";
import { z } from "zod";
import { leafHash } from "../merkle/tree.ts";

/** What a node runs. Nodes that run the same share one: the certificate has it once. Members are null where nothing is proved. */
export type Running = {
  readonly identity: string | null;
  readonly release: string | null;
  /** SHA-256 of the class's Ignition config. */
  readonly config: string | null;
  readonly extensions: readonly {
    readonly kind: ExtensionKind;
    readonly name: string;
    readonly version: string | null;
    readonly rootHash: string;
  }[];
};

/** One node of a certificate: a leaf of its tree. */
export type NodeRecord = {
  readonly name: string;
  readonly level: Level;
  /** Of what it boots next; null when nobody knows. */
  readonly nextBoot: Level | null;
  /** The digest of {@link Running}. */
  readonly runs: string;
  /** Which of the statement's policies it was judged by. */
  readonly policy: number;
  /** RFC 3339: when it was challenged; null when it has not answered. */
  readonly challengedAt: string | null;
  /** The digest of its evidence. */
  readonly evidence: string | null;
  /** Codes of what was wrong or not known. */
  readonly differences: readonly string[];
  /** 16 random bytes in base64url: without them, a node's record could be guessed from a hash beside another's. */
  readonly salt: string;
};

export const MAX_NODES = 100_000;
export const MAX_DIFFERENCES = 16;
export const SALT_BYTES = 16;

export const digest: z.ZodString = z.string().regex(/^[0-9a-f]{64}$/u, "expected a SHA-256 digest in hexadecimal");
export const time: z.ZodString = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/u, "expected a time such as 2026-01-31T12:00:00Z")
  .refine((text) => Number.isFinite(Date.parse(text)), "expected a time that there is");
const text = z.string().max(300);

export const runningSchema: z.ZodType<Running> = z.strictObject({
  identity: digest.nullable().describe("Digest of release, /usr, UKI, extensions and class config"),
  release: text.nullable(),
  config: digest.nullable().describe("SHA-256 of the class's Ignition config"),
  extensions: z
    .array(z.strictObject({ kind: z.enum(EXTENSION_KINDS), name: text, version: text.nullable(), rootHash: digest }))
    .max(1000),
});

export const nodeRecordSchema: z.ZodType<NodeRecord> = z.strictObject({
  name: z.string().min(1).max(300),
  level: z.enum(LEVELS).describe("Of what the node runs"),
  nextBoot: z.enum(LEVELS).nullable().describe("Of what it boots next; null when nobody knows"),
  runs: digest.describe("SHA-256 of what it runs in canonical JSON: its key in `running`"),
  policy: z.int().min(0).max(1000).describe("Which of the statement's policies it was judged by, from 0"),
  challengedAt: time.nullable().describe("When it was challenged; null when it has not answered"),
  evidence: digest.nullable().describe("SHA-256 of what `sha256sum` prints for the files of its evidence"),
  differences: z
    .array(z.string().regex(/^[a-z0-9-]{1,64}$/u))
    .max(MAX_DIFFERENCES)
    .describe("Codes of what was wrong or not known: docs/reference/differences.md"),
  salt: z
    .string()
    .regex(/^[\w-]{22}$/u)
    .describe("16 random bytes in base64url"),
});

/** The key of what nodes run: SHA-256 of its canonical JSON (RFC 8785). */
export function runningDigest(running: Running): string {
  return createHash("sha256").update(canonicalJson(running)).digest("hex");
}

/** The leaf of a node: over the record in canonical JSON, however it is written. */
export function recordHash(record: NodeRecord): Buffer {
  return leafHash(canonicalJson(record));
}
