import { createPrivateKey, generateKeyPair, type KeyObject, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { AshlarError } from "@ashlar/base";
import { requireOwnersAlone } from "./owners-alone.ts";
import type { AskPassphrase } from "./passphrase.ts";

/** @throws AshlarError `not-found`, `untrusted` (readable by others), `invalid` (passphrase, or no such key) */
export async function openKey(path: string, type: "ed25519" | "rsa", ask: AskPassphrase): Promise<KeyObject> {
  const pem = await readPrivate(path);
  const passphrase = isEncrypted(pem) ? await ask() : undefined;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: "pem", ...(passphrase !== undefined && { passphrase }) });
  } catch (error) {
    throw new AshlarError("invalid", `${path}: the passphrase does not open it, or it is no private key`, {
      cause: error,
    });
  }
  if (key.asymmetricKeyType === type) return key;
  throw new AshlarError("invalid", `${path}: expected a key of type ${type}, found ${key.asymmetricKeyType}`);
}

/** @throws AshlarError `not-found`, `untrusted` */
export async function readPrivate(path: string): Promise<Buffer> {
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) throw noSuchKey("private key", path);
  requireOwnersAlone(path, status.mode);
  return await readFile(path);
}

/** @throws AshlarError `not-found`, `malformed` */
export async function readCertificate(path: string): Promise<X509Certificate> {
  if (!(await isThere(path))) throw noSuchKey("certificate", path);
  try {
    return new X509Certificate(await readFile(path));
  } catch (error) {
    throw new AshlarError("malformed", `${path}: expected a certificate in PEM`, { cause: error });
  }
}

export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

export function noSuchKey(what: string, path: string): AshlarError {
  return new AshlarError("not-found", `expected a ${what}, found no ${path}`, {
    hint: "`ashlar release init` makes the keys that are missing; bring one that is kept elsewhere",
  });
}

export function isEncrypted(pem: Buffer): boolean {
  return pem.includes("ENCRYPTED");
}

/** @param rsaBits undefined: an Ed25519 key */
export async function createPrivatePem(
  rsaBits: number | undefined,
  passphrase: string | undefined,
): Promise<string | Buffer> {
  const { privateKey } =
    rsaBits === undefined
      ? await promisify(generateKeyPair)("ed25519")
      : await promisify(generateKeyPair)("rsa", { modulusLength: rsaBits });
  const format = { type: "pkcs8", format: "pem" } as const;
  return privateKey.export(passphrase === undefined ? format : { ...format, cipher: "aes-256-cbc", passphrase });
}
