/** Signed envelopes: DSSE, the Dead Simple Signing Envelope, version 1.0 (github.com/secure-systems-lab/dsse). */
import { createHash, sign, verify, type KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";

export type DsseSignature = { readonly keyid?: string | undefined; readonly sig: string };

/** As in JSON; `payload` and `sig` are base64. Members beside these are ignored by other readers ("Parsing rules"). */
export type DsseEnvelope = {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly DsseSignature[];
};

/** "Signature Definition": PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body, with lengths in decimal. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

/** The kinds of key that sign certificates. */
export function isCertificateKey(key: KeyObject): boolean {
  if (key.asymmetricKeyType === "ed25519") return true;
  return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
}

/** SHA-256 of the public key's SubjectPublicKeyInfo (RFC 5280, 4.1) in DER, in hexadecimal. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** Ed25519 as it is; ECDSA on P-256 over SHA-256, as DER, which is what other verifiers expect. */
export function signEnvelope(
  payloadType: string,
  payload: Uint8Array,
  { privateKey, publicKey }: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): DsseEnvelope {
  const signature = sign(hashOf(privateKey), preAuthEncoding(payloadType, payload), privateKey);
  return {
    payloadType,
    payload: Buffer.from(payload).toString("base64"),
    signatures: [{ keyid: keyIdOf(publicKey), sig: signature.toString("base64") }],
  };
}

/** Whether one of the envelope's signatures is by this key, over this type and these bytes. */
export function isSignedBy({ payloadType, payload, signatures }: DsseEnvelope, publicKey: KeyObject): boolean {
  const signed = preAuthEncoding(payloadType, Buffer.from(payload, "base64"));
  // A key's name is only a hint: every signature is tried.
  return signatures.some(({ sig }) => verify(hashOf(publicKey), signed, publicKey, Buffer.from(sig, "base64")));
}

function hashOf(key: KeyObject): "sha256" | null {
  if (isCertificateKey(key)) return key.asymmetricKeyType === "ec" ? "sha256" : null;
  throw new AshlarError("invalid", `expected a key for Ed25519 or for ECDSA on P-256, found ${key.asymmetricKeyType}`);
}
