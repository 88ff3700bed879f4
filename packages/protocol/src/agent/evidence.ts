import { SHA256_HEX, SHA384_HEX } from "@ashlar/base";
import { z } from "zod";
import {
  MAX_LOG_BYTES,
  QUOTED_PCRS,
  type PcrBank,
  type ActivateResponse,
  type EvidenceResponse,
  type KeysResponse,
} from "./agent-api.ts";
import { parseDocument } from "../parse-document.ts";
import { EVIDENCE_SCHEMA } from "./qualifying-data.ts";

/** PCR values in hexadecimal, by bank; only banks that are quoted. */
export type BankValues = { readonly [Bank in PcrBank]?: ReadonlyMap<number, string> };

/** A node's answer with all base64 and hexadecimal decoded. */
export type Evidence = {
  /** TPMS_ATTEST. */
  readonly quoteMessage: Uint8Array;
  /** TPMT_SIGNATURE. */
  readonly quoteSignature: Uint8Array;
  /** Claimed. */
  readonly pcrs: BankValues;
  /** TPM2B_PUBLIC. */
  readonly ak: Uint8Array;
  /** DER; undefined for a TPM without one. */
  readonly ekCertificate?: Uint8Array;
  /** TPM2B_PUBLIC of the endorsement key, where there is no certificate for it. */
  readonly ekPublic?: Uint8Array;
  /** DER of the attestation key's own certificate, where a cloud has certified it. Then there is nothing of an EK. */
  readonly akCertificate?: Uint8Array;
  /** SubjectPublicKeyInfo as DER. */
  readonly tlsPublicKey: Uint8Array;
  readonly firmwareLog: Uint8Array;
  readonly userspaceLog: Uint8Array;
  /** Reported by software only, like everything below. */
  readonly osRelease: string;
  readonly commandLine: string;
  readonly verity: { readonly device: "usr"; readonly status: string; readonly rootHash?: string };
};

/** Limits on the decoded members of an answer, in bytes. */
export const MAX_TPM_STRUCTURE_BYTES = 4096;
export const MAX_CERTIFICATE_BYTES = 8192;
/** Makers have up to three certificates between a root and an EK. */
export const MAX_INTERMEDIATES = 8;
const MAX_TEXT_CHARACTERS = 16_384;

/** Largest response body that a verifier reads: two logs in base64 and some room. */
export const MAX_RESPONSE_BYTES: number = 3 * MAX_LOG_BYTES;

export function base64(maxBytes: number): z.ZodString {
  return z
    .string()
    .max(Math.ceil(maxBytes / 3) * 4)
    .refine(isBase64, "expected base64 with padding");
}

/** Buffer skips what is not base64: only a text with one reading is accepted. */
function isBase64(text: string): boolean {
  return Buffer.from(text, "base64").toString("base64") === text;
}

/** An answer of another version was signed over other bytes: its quote cannot hold, whatever the node runs. */
export function answerSchema<Name extends string>(current: Name): z.ZodType<Name, Name> {
  return z.literal(current, {
    error: ({ input }) =>
      `expected ${current}, found ${JSON.stringify(input)?.slice(0, MAX_SHOWN_SCHEMA) ?? "nothing"}: an agent of ` +
      "another version. Build a new image for the node, or prove it with the Ashlar that its image was built with",
  });
}

const MAX_SHOWN_SCHEMA = 40;

const pcrValues = (value: z.ZodString): z.ZodType<Readonly<Record<string, string>>> =>
  z.strictObject(Object.fromEntries(QUOTED_PCRS.map((pcr) => [String(pcr), value])));
const sha384Value = z.string().regex(SHA384_HEX, "expected 96 lower-case hexadecimal digits");
const pcrValue = z.string().regex(SHA256_HEX, "expected 64 lower-case hexadecimal digits");

export const evidenceSchema: z.ZodType<EvidenceResponse> = z
  .strictObject({
    schema: answerSchema(EVIDENCE_SCHEMA),
    quote: z.strictObject({ message: base64(MAX_TPM_STRUCTURE_BYTES), signature: base64(MAX_TPM_STRUCTURE_BYTES) }),
    pcrs: pcrValues(pcrValue).exactOptional(),
    sha384Pcrs: pcrValues(sha384Value).exactOptional(),
    ak: base64(MAX_TPM_STRUCTURE_BYTES),
    ekCertificate: base64(MAX_CERTIFICATE_BYTES).exactOptional(),
    ekPublic: base64(MAX_TPM_STRUCTURE_BYTES).exactOptional(),
    akCertificate: base64(MAX_CERTIFICATE_BYTES).exactOptional(),
    tlsPublicKey: base64(MAX_TPM_STRUCTURE_BYTES),
    firmwareLog: base64(MAX_LOG_BYTES),
    userspaceLog: base64(MAX_LOG_BYTES),
    osRelease: z.string().max(MAX_TEXT_CHARACTERS),
    commandLine: z.string().max(MAX_TEXT_CHARACTERS),
    verity: z.strictObject({
      device: z.literal("usr"),
      status: z.string().max(16),
      rootHash: pcrValue.exactOptional(),
    }),
  })
  .refine(
    ({ pcrs, sha384Pcrs }) => pcrs !== undefined || sha384Pcrs !== undefined,
    "expected pcrs, sha384Pcrs or both",
  );

const keysSchema: z.ZodType<KeysResponse> = z
  .strictObject({
    ak: base64(MAX_TPM_STRUCTURE_BYTES),
    ekCertificate: base64(MAX_CERTIFICATE_BYTES).exactOptional(),
    ekPublic: base64(MAX_TPM_STRUCTURE_BYTES).exactOptional(),
    ekIntermediates: z.array(base64(MAX_CERTIFICATE_BYTES)).max(MAX_INTERMEDIATES).exactOptional(),
    akCertificate: base64(MAX_CERTIFICATE_BYTES).exactOptional(),
  })
  .refine(
    ({ ekPublic, ekCertificate, akCertificate }) =>
      (ekPublic === undefined) === (akCertificate !== undefined) && !(akCertificate && ekCertificate),
    "expected either ekPublic, with or without its certificate, or akCertificate",
  );

const activateSchema: z.ZodType<ActivateResponse> = z.strictObject({ secret: base64(64) });

export function parseEvidence(text: string): Evidence {
  const answer = parseDocument(text, evidenceSchema, "evidence", MAX_RESPONSE_BYTES);
  return {
    quoteMessage: Buffer.from(answer.quote.message, "base64"),
    quoteSignature: Buffer.from(answer.quote.signature, "base64"),
    pcrs: {
      ...(answer.pcrs === undefined ? {} : { sha256: byNumber(answer.pcrs) }),
      ...(answer.sha384Pcrs === undefined ? {} : { sha384: byNumber(answer.sha384Pcrs) }),
    },
    ak: Buffer.from(answer.ak, "base64"),
    ...endorsementOf(answer),
    tlsPublicKey: Buffer.from(answer.tlsPublicKey, "base64"),
    firmwareLog: Buffer.from(answer.firmwareLog, "base64"),
    userspaceLog: Buffer.from(answer.userspaceLog, "base64"),
    osRelease: answer.osRelease,
    commandLine: answer.commandLine,
    verity: answer.verity,
  };
}

function byNumber(values: Readonly<Record<string, string>>): Map<number, string> {
  return new Map(Object.entries(values).map(([pcr, value]) => [Number(pcr), value]));
}

/** What a node shows for its TPM: of its EK, or of the attestation key itself. */
type Endorsement<Bytes> = {
  readonly ekCertificate?: Bytes;
  readonly ekPublic?: Bytes;
  readonly akCertificate?: Bytes;
};

function endorsementOf({ ekCertificate, ekPublic, akCertificate }: Endorsement<string>): Endorsement<Uint8Array> {
  return {
    ...(ekCertificate === undefined ? {} : { ekCertificate: Buffer.from(ekCertificate, "base64") }),
    ...(ekPublic === undefined ? {} : { ekPublic: Buffer.from(ekPublic, "base64") }),
    ...(akCertificate === undefined ? {} : { akCertificate: Buffer.from(akCertificate, "base64") }),
  };
}

/** The decoded members of a {@link KeysResponse}: TPM2B_PUBLIC for keys, DER for certificates. */
export type Keys = Endorsement<Uint8Array> & {
  readonly ak: Uint8Array;
  readonly ekIntermediates?: readonly Uint8Array[];
};

export function parseKeys(text: string): Keys {
  const answer = parseDocument(text, keysSchema, "keys", MAX_RESPONSE_BYTES);
  return {
    ak: Buffer.from(answer.ak, "base64"),
    ...endorsementOf(answer),
    ...(answer.ekIntermediates === undefined
      ? {}
      : { ekIntermediates: answer.ekIntermediates.map((each) => Buffer.from(each, "base64")) }),
  };
}

export function parseActivation(text: string): Uint8Array {
  return Buffer.from(parseDocument(text, activateSchema, "activation", MAX_RESPONSE_BYTES).secret, "base64");
}
