import { createHash, createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { selfSignedCertificatePem } from "@ashlar/formats";

/**
 * The key of somebody who may give nodes orders, as TLS wants it: PEM of the private key and a certificate of its own.
 * The certificate says nothing; nodes know the key by its pin.
 */
export function operatorPem(privateKey: KeyObject, serialNumber: Uint8Array): string {
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  return `${key}${selfSignedCertificatePem(privateKey, "ashlar-operator", serialNumber)}`;
}

/** What `operators` in a node's `update.yaml` calls a key: SHA-256 of its SubjectPublicKeyInfo (RFC 5280, 4.1), DER. */
export function operatorPin(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
}

/** @throws AshlarError `malformed` when the text does not hold a private key and the certificate for it */
export function pinOfOperatorPem(pem: string): string {
  try {
    const certificate = new X509Certificate(pem);
    if (certificate.checkPrivateKey(createPrivateKey(pem))) return operatorPin(certificate.publicKey);
  } catch {
    // Said below.
  }
  throw new AshlarError("malformed", "expected a private key and its certificate in PEM", {
    hint: "make one with `ashlar operator-key --out FILE`",
  });
}
