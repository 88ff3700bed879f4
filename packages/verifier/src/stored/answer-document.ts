import { SHA256_HEX, SHA384_HEX } from "@ashlar/base";
import { MAX_EXTENSIONS, NONCE_BYTES } from "@ashlar/protocol";
import { parseOwnDocument } from "@ashlar/protocol/answers";
import { z } from "zod";
import {
  debugExceptionSchema,
  MAX_EXCEPTIONS,
  measuredExtensionSchema,
  rightExtensionSchema,
} from "../declared/extension-schemas.ts";
import { pinSchema } from "../pin-store.ts";
import type { StoredAnswer, StoredExtensions } from "./answer.ts";

const SCHEMA = "ashlar.stored-evidence/v3";

export const MAX_ANSWER_BYTES: number = 256 * 1024;

const digest = z.string().regex(SHA256_HEX);

const pcrNumber = z.string().regex(/^(?:[0-9]|1[0-5])$/u);

const NONCE = new RegExp(`^(?:[0-9a-f]{2}){${NONCE_BYTES}}$`, "u");

/** `answer.json`: what of a node's answer has no file of its own. */
const schema = z.strictObject({
  schema: z.literal(
    SCHEMA,
    `expected ${SCHEMA}: older quotes answer another question (nonce and TLS key without their lengths). Build a new ` +
      "image for the node and ask it again, or judge this evidence with the Ashlar that has kept it",
  ),
  nonce: z.string().regex(NONCE, `expected ${NONCE_BYTES} bytes in hexadecimal`),
  tlsPublicKey: z.string().regex(/^(?:[0-9a-f]{2}){1,4096}$/u),
  /** What the node itself said its TLS key is. */
  claimedTlsPublicKey: z.string().regex(/^(?:[0-9a-f]{2}){0,4096}$/u),
  challengedAt: z.iso.datetime(),
  /** Of the SHA-256 bank: empty where it is off. */
  pcrs: z.record(pcrNumber, digest),
  sha384Pcrs: z.record(pcrNumber, z.string().regex(SHA384_HEX)).exactOptional(),
  osRelease: z.string(),
  commandLine: z.string(),
  verity: z.strictObject({ device: z.literal("usr"), status: z.string(), rootHash: digest.exactOptional() }),
  pin: pinSchema,
  expected: z.strictObject({
    classConfigSha256: digest,
    nodeConfigSha256: digest,
    releases: z.array(digest).min(1).max(2),
    extensions: z.strictObject({
      declared: z.array(rightExtensionSchema).max(MAX_EXTENSIONS),
      exceptions: z.array(debugExceptionSchema).max(MAX_EXCEPTIONS),
      alsoAllowed: z.array(measuredExtensionSchema).max(MAX_EXTENSIONS),
    }),
  }),
  /** Why there is no answer about the next boot, when it was asked for. */
  noNextBoot: z.strictObject({ level: z.enum(["mismatch", "unknown"]), found: z.string() }).exactOptional(),
});

type BinaryMember =
  | "ak"
  | "quoteMessage"
  | "quoteSignature"
  | "ekCertificate"
  | "ekPublic"
  | "akCertificate"
  | "firmwareLog"
  | "userspaceLog";

/** An answer without the bytes that have files of their own. */
export type AnswerDocument = Omit<StoredAnswer, "evidence" | "nextBoot"> & {
  readonly evidence: Omit<StoredAnswer["evidence"], BinaryMember>;
  readonly noNextBoot?: { readonly level: "mismatch" | "unknown"; readonly found: string };
};

/** @throws AshlarError `malformed` or `limit` */
export function parseAnswerDocument(text: string, path: string): AnswerDocument {
  const parsed = parseOwnDocument(text, schema, path, MAX_ANSWER_BYTES);
  const { claimedTlsPublicKey, pcrs, sha384Pcrs, osRelease, commandLine, verity, noNextBoot } = parsed;
  return {
    evidence: {
      pcrs: {
        ...(Object.keys(pcrs).length === 0 ? {} : { sha256: byNumber(pcrs) }),
        ...(sha384Pcrs === undefined ? {} : { sha384: byNumber(sha384Pcrs) }),
      },
      tlsPublicKey: Buffer.from(claimedTlsPublicKey, "hex"),
      osRelease,
      commandLine,
      verity,
    },
    nonce: Buffer.from(parsed.nonce, "hex"),
    tlsPublicKey: Buffer.from(parsed.tlsPublicKey, "hex"),
    challengedAtMs: Date.parse(parsed.challengedAt),
    pin: parsed.pin,
    expected: parsed.expected,
    ...(noNextBoot === undefined ? {} : { noNextBoot }),
  };
}

export function formatAnswerDocument(answer: StoredAnswer): string {
  return `${JSON.stringify(toDocument(answer), undefined, 2)}\n`;
}

function toDocument({ evidence, nonce, tlsPublicKey, challengedAtMs, pin, expected, nextBoot }: StoredAnswer): object {
  const { tlsPublicKey: claimed, pcrs, osRelease, commandLine, verity } = evidence;
  return {
    schema: SCHEMA,
    nonce: hex(nonce),
    tlsPublicKey: hex(tlsPublicKey),
    claimedTlsPublicKey: hex(claimed),
    challengedAt: new Date(challengedAtMs).toISOString(),
    pcrs: Object.fromEntries(pcrs.sha256 ?? []),
    ...(pcrs.sha384 === undefined ? {} : { sha384Pcrs: Object.fromEntries(pcrs.sha384) }),
    osRelease,
    commandLine,
    verity,
    pin,
    expected: {
      classConfigSha256: expected.classConfigSha256,
      nodeConfigSha256: expected.nodeConfigSha256,
      releases: expected.releases,
      extensions: toStored(expected.extensions),
    },
    ...("answer" in nextBoot ? {} : { noNextBoot: nextBoot }),
  };
}

function toStored({ declared, exceptions, alsoAllowed }: StoredExtensions): StoredExtensions {
  const right = declared.map(({ kind, name, pattern, tier, source: { type } }) => {
    return { kind, name, pattern, tier, source: { type } };
  });
  return { declared: right, exceptions, alsoAllowed };
}

function byNumber(values: Readonly<Record<string, string>>): Map<number, string> {
  return new Map(Object.entries(values).map(([pcr, value]) => [Number(pcr), value]));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
