import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";

/** The key of somebody who may give nodes orders, as it is kept on a workstation. Nodes know it by its pin. */
export function operatorPem(privateKey: KeyObject): string {
  return privateKey.export({ type: "pkcs8", format: "pem" });
}

/** What `operators` in a node's `update.yaml` calls a key: SHA-256 of its SubjectPublicKeyInfo (RFC 5280, 4.1), DER. */
export function operatorPin(publicKey: KeyObject): string {
  return pinOfSpki(publicKey.export({ type: "spki", format: "der" }));
}

/** The same of a key that nobody has parsed yet. */
export function pinOfSpki(spki: Uint8Array): string {
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
}

/** The one kind of key that signs orders: ECDSA on P-256 (FIPS 186-5). */
export function isOperatorKey(key: KeyObject): boolean {
  return key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
}

/** @throws AshlarError `malformed` when the text does not hold an operator's private key; other blocks are passed by */
export function parseOperatorPem(pem: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = createPrivateKey(pem);
  } catch {
    // Said below.
  }
  if (key !== undefined && isOperatorKey(key)) return key;
  throw new AshlarError("malformed", "expected an ECDSA private key on P-256 in PEM, without a passphrase", {
    hint: "make one with `ashlar operator-key --out FILE`",
  });
}

/** @throws AshlarError `malformed` as {@link parseOperatorPem} */
export function pinOfOperatorPem(pem: string): string {
  return operatorPin(createPublicKey(parseOperatorPem(pem)));
}
