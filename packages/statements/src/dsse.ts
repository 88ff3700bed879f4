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

/** The kinds of key that sign statements. */
export function isStatementKey(key: KeyObject): boolean {
  if (key.asymmetricKeyType === "ed25519") return true;
  return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
}

/** SHA-256 of the public key's SubjectPublicKeyInfo (RFC 5280, 4.1) in DER, in hexadecimal. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** What signs: a key that is here, or whatever keeps one that is not. */
export type Signer = {
  readonly publicKey: KeyObject;
  /** Ed25519 as it is; ECDSA on P-256 over SHA-256, as DER, which is what other verifiers expect. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
};

export type KeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

export function signerOf({ privateKey, publicKey }: KeyPair): Signer {
  return { publicKey, sign: (bytes) => sign(hashOf(privateKey), bytes, privateKey) };
}

/** Whether this is the key's signature over these bytes, in the form that {@link Signer} gives. */
export function isSignature(bytes: Uint8Array, publicKey: KeyObject, signature: Uint8Array): boolean {
  return verify(hashOf(publicKey), bytes, publicKey, signature);
}

export function signEnvelope(payloadType: string, payload: Uint8Array, signer: Signer): DsseEnvelope {
  const signature = signer.sign(preAuthEncoding(payloadType, payload));
  return {
    payloadType,
    payload: Buffer.from(payload).toString("base64"),
    signatures: [{ keyid: keyIdOf(signer.publicKey), sig: Buffer.from(signature).toString("base64") }],
  };
}

/** Whether one of the envelope's signatures is by this key, over this type and these bytes. */
export function isSignedBy({ payloadType, payload, signatures }: DsseEnvelope, publicKey: KeyObject): boolean {
  const signed = preAuthEncoding(payloadType, Buffer.from(payload, "base64"));
  // A key's name is only a hint: every signature is tried.
  return signatures.some(({ sig }) => isSignature(signed, publicKey, Buffer.from(sig, "base64")));
}

function hashOf(key: KeyObject): "sha256" | null {
  if (isStatementKey(key)) return key.asymmetricKeyType === "ec" ? "sha256" : null;
  throw new AshlarError("invalid", `expected a key for Ed25519 or for ECDSA on P-256, found ${key.asymmetricKeyType}`);
}
