import type { KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { parseDocument } from "@ashlar/protocol/answers";
import { z } from "zod";
import { signEnvelope, type DsseEnvelope, type Signer } from "./dsse.ts";
import {
  envelopeFields,
  findEnvelopeProblem,
  PAYLOAD_TYPE,
  parseStatement,
  payloadText,
  STATEMENT_TYPE,
} from "./envelope.ts";

const PREDICATE_TYPE = "https://ashlar.dev/audit-snapshots/v1";
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
/** The payload in base64, and signatures. */
const MAX_SIGNED_SNAPSHOTS_BYTES = Math.ceil(MAX_PAYLOAD_BYTES / 3) * 4 + 65_536;

/** SHA-256 digests in hexadecimal, by the names of snapshots' files. */
export type SnapshotDigests = ReadonlyMap<string, string>;

const schema = z.strictObject({
  ["_type"]: z.literal(STATEMENT_TYPE),
  subject: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(1000),
        digest: z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/u) }),
      }),
    )
    .min(1)
    .max(20_000),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.strictObject({}),
});

/** Says that these snapshots are all, and unchanged, and nothing about what nodes said: one line of JSON. */
export function signSnapshots(digests: SnapshotDigests, signer: Signer): string {
  const statement = {
    ["_type"]: STATEMENT_TYPE,
    subject: [...digests].map(([name, sha256]) => ({ name, digest: { sha256 } })),
    predicateType: PREDICATE_TYPE,
    predicate: {},
  };
  const envelope = signEnvelope(PAYLOAD_TYPE, Buffer.from(JSON.stringify(statement)), signer);
  return `${JSON.stringify(envelope)}\n`;
}

const envelopeSchema: z.ZodType<DsseEnvelope> = z.strictObject(envelopeFields(MAX_PAYLOAD_BYTES));

/**
 * The snapshots that a key has signed. Nothing of the statement is read before its signature is.
 *
 * @throws AshlarError `untrusted` for another signature, `malformed`, `limit`
 */
export function parseSignedSnapshots(text: string, publicKey: KeyObject): SnapshotDigests {
  const envelope = parseDocument(text, envelopeSchema, "signed snapshots", MAX_SIGNED_SNAPSHOTS_BYTES);
  const problem = findEnvelopeProblem(envelope, [publicKey]);
  if (problem !== undefined) throw new AshlarError("untrusted", `signed snapshots: ${problem.message}`);
  const form = { predicateType: PREDICATE_TYPE, schema, maxCharacters: MAX_PAYLOAD_BYTES };
  const { subject } = parseStatement(payloadText(envelope), form);
  const digests = new Map(subject.map(({ name, digest }) => [name, digest.sha256]));
  if (digests.size === subject.length) return digests;
  throw new AshlarError("malformed", "signed snapshots: expected each name once, found one twice");
}
