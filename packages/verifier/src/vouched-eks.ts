import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { AshlarError, messageOf, SHA256_HEX } from "@ashlar/base";
import { keyObjectOf, parsePublic } from "@ashlar/formats";
import { ekDigestOf, type VouchedEks } from "@ashlar/identity";
import { operatorPin } from "@ashlar/protocol";
import { parseDocument, parseOwnDocument } from "@ashlar/protocol/answers";
import { z } from "zod";

/**
 * A list of endorsement keys that their owner vouches for, since their TPMs have no maker's certificate: taken at delivery, and
 * signed with a key as `ashlar operator-key` makes. The signature is over the schema's name, a zero byte and the list's text.
 */
const SCHEMA = "ashlar.vouched-eks/v1";
const MAX_LIST_CHARACTERS = 16 * 1024 * 1024;
const MAX_EKS = 100_000;
const SIGNATURE_BYTES = 64;

export type VouchedEk = {
  /** SHA-256 of the EK's SubjectPublicKeyInfo (DER), in hexadecimal. */
  readonly sha256: string;
  /** For people: the file's name, or the machine's. */
  readonly name: string;
};

const envelopeSchema = z.strictObject({
  schema: z.literal(SCHEMA),
  list: z.string(),
  key: z.base64(),
  signature: z.base64(),
});
const listSchema = z.strictObject({
  eks: z.array(z.strictObject({ sha256: z.string().regex(SHA256_HEX), name: z.string().min(1).max(200) })).max(MAX_EKS),
});

/** The text of a signed list. */
export function signVouchedEks(eks: readonly VouchedEk[], privateKey: KeyObject): string {
  const list = JSON.stringify({ eks });
  const signature = sign("sha256", toBeSigned(list), { key: privateKey, dsaEncoding: "ieee-p1363" });
  const key = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const envelope = { schema: SCHEMA, list, key: key.toString("base64"), signature: signature.toString("base64") };
  return `${JSON.stringify(envelope, undefined, 2)}\n`;
}

/**
 * Opens a list that the owner's key has signed.
 *
 * @param pin the owner's key as `ashlar operator-key` prints it: `sha256:` and the SHA-256 of its SubjectPublicKeyInfo
 * @throws AshlarError `malformed`, `limit`, or `untrusted` when another key has signed it, or something else
 */
export function openVouchedEks(text: string, pin: string, what: string): VouchedEks {
  const { list, key, signature } = parseOwnDocument(text, envelopeSchema, what, MAX_LIST_CHARACTERS);
  const publicKey = readKey(key, what);
  const found = operatorPin(publicKey);
  if (found !== pin) {
    throw new AshlarError("untrusted", `${what}: expected a list signed by ${pin}, found one by ${found}`);
  }
  const bytes = Buffer.from(signature, "base64");
  const verifying = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
  if (bytes.length !== SIGNATURE_BYTES || !verify("sha256", toBeSigned(list), verifying, bytes)) {
    throw new AshlarError("untrusted", `${what}: expected the signature of ${pin} over the list, found another one`);
  }
  const { eks } = parseDocument(list, listSchema, `${what}: list`, MAX_LIST_CHARACTERS);
  return { by: pin, names: new Map(eks.map(({ sha256: digest, name }) => [digest, name])) };
}

function toBeSigned(list: string): Uint8Array {
  return Buffer.from(`${SCHEMA}\0${list}`);
}

function readKey(base64: string, what: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(base64, "base64"), type: "spki", format: "der" });
  } catch (error) {
    throw new AshlarError("malformed", `${what}: expected a public key: ${messageOf(error)}`);
  }
}

/**
 * By which an EK is vouched for, from a file that has it as TPM2B_PUBLIC (tpm2_readpublic -f tss) or as PEM.
 *
 * @throws AshlarError `malformed`
 */
export function ekDigestOfFile(bytes: Uint8Array, what: string): string {
  const isPem = Buffer.from(bytes.subarray(0, 64)).toString("latin1").trimStart().startsWith("-----BEGIN");
  if (!isPem) return ekDigestOf(keyObjectOf(parsePublic(bytes)));
  try {
    return ekDigestOf(createPublicKey(Buffer.from(bytes)));
  } catch (error) {
    throw new AshlarError("malformed", `${what}: expected an endorsement key's public part: ${messageOf(error)}`);
  }
}
