import { createPublicKey, type KeyObject } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { parseCertificate, type Certificate } from "@ashlar/fleet";
import { readNamedFile, readText } from "@ashlar/host";
import { isStatementKey } from "@ashlar/statements";

/** @throws AshlarError `not-found`, `limit`, `malformed` */
export async function readCertificate(path: string): Promise<Certificate> {
  return parseCertificate(await readText(path, "a certificate"));
}

/** The key of whoever is believed. @throws AshlarError `not-found`, `malformed` */
export async function readPublicKey(path: string): Promise<KeyObject> {
  const pem = await readNamedFile(path, "a public key");
  let key: KeyObject | undefined;
  try {
    // A private key would do as well, and should not lie about where certificates are checked.
    key = pem.includes("PRIVATE") ? undefined : createPublicKey(pem);
  } catch {
    // Said below.
  }
  if (key !== undefined && isStatementKey(key)) return key;
  throw new AshlarError("malformed", `${path}: expected a public key in PEM, for Ed25519 or ECDSA on P-256`, {
    hint: "openssl pkey -in certify.pem -pubout -out certify.pub",
  });
}
