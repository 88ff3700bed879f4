import type { KeyObject } from "node:crypto";
import { parseDocument, parseOwnDocument } from "@ashlar/protocol/answers";
import { AshlarError } from "@ashlar/base";
import { z } from "zod";
import { isSignedBy, keyIdOf, type DsseEnvelope } from "./dsse.ts";

/** The payload type of in-toto statements (github.com/in-toto/attestation, spec/v1/envelope.md). */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";
/** in-toto Statement, version 1 (spec/v1/statement.md). */
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";

const MAX_SIGNATURES = 8;

/** Only as it is written here: two texts of one value would be two documents of one statement. */
export const base64 = (maxBytes: number): z.ZodString =>
  z
    .string()
    .max(Math.ceil(maxBytes / 3) * 4)
    .refine((text) => Buffer.from(text, "base64").toString("base64") === text, "expected base64");

type EnvelopeFields = {
  readonly payloadType: z.ZodType<string>;
  readonly payload: z.ZodType<string>;
  readonly signatures: z.ZodType<{ keyid?: string; sig: string }[]>;
};

/** The members of an envelope, for documents that are one or have other members beside them. */
export function envelopeFields(maxPayloadBytes: number): EnvelopeFields {
  return {
    payloadType: z.string().max(300),
    payload: base64(maxPayloadBytes),
    signatures: z
      .array(z.strictObject({ keyid: z.string().max(300).exactOptional(), sig: base64(1024) }))
      .min(1)
      .max(MAX_SIGNATURES),
  };
}

/** Why an envelope says nothing: for programs. */
export type EnvelopeRefusal = {
  readonly code: "payload-type" | "other-key" | "signature";
  readonly message: string;
};

const MAX_SHOWN = 100;

/**
 * What is wrong with an envelope's type or signatures; undefined when it is a statement that one of the keys has signed.
 *
 * @param publicKeys undefined: only the type is looked at
 */
export function findEnvelopeProblem(
  envelope: DsseEnvelope,
  publicKeys: readonly KeyObject[] | undefined,
): EnvelopeRefusal | undefined {
  if (envelope.payloadType !== PAYLOAD_TYPE) {
    const found = JSON.stringify(envelope.payloadType.slice(0, MAX_SHOWN));
    return { code: "payload-type", message: `expected an envelope of ${PAYLOAD_TYPE}, found one of ${found}` };
  }
  if (publicKeys === undefined || publicKeys.some((key) => isSignedBy(envelope, key))) return undefined;
  const own = publicKeys.map(keyIdOf);
  const named = envelope.signatures.map(({ keyid }) => keyid ?? "");
  const known = own.find((id) => named.includes(id));
  if (known !== undefined) {
    const message = `expected a signature by ${known} over this very statement, found another one`;
    return { code: "signature", message };
  }
  const found = named.join(", ").slice(0, MAX_SHOWN) || "one without a name";
  return { code: "other-key", message: `expected a signature by the key ${own.join(" or ")}, found one by ${found}` };
}

const typeSchema = z.object({ _type: z.string().optional(), predicateType: z.string().optional() });

/**
 * Reads a statement.
 *
 * @throws AshlarError `malformed`, with what is wrong about the type first: a statement may be about anything; `limit`
 */
export function parseStatement<T>(text: string, { predicateType, schema, maxCharacters }: StatementForm<T>): T {
  const found = parseDocument(text, typeSchema, "statement", maxCharacters);
  if (found["_type"] !== STATEMENT_TYPE || found.predicateType !== predicateType) {
    const types = `${found["_type"] ?? "nothing"} with ${found.predicateType ?? "no predicate"}`.slice(0, 300);
    throw new AshlarError("malformed", `statement: expected ${STATEMENT_TYPE} with ${predicateType}, found ${types}`);
  }
  return parseOwnDocument(text, schema, "statement", maxCharacters);
}

export type StatementForm<T> = {
  readonly predicateType: string;
  readonly schema: z.ZodType<T>;
  readonly maxCharacters: number;
};

/** What was signed, as text. */
export function payloadText({ payload }: DsseEnvelope): string {
  return Buffer.from(payload, "base64").toString("utf8");
}
