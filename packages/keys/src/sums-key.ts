/**
 * The OpenPGP key for SHA256SUMS: what systemd-sysupdate checks, by calling gpg. Ed25519 in a version 4 key, which
 * GnuPG knows since 2.1.
 */
import { AshlarError } from "@ashlar/base";
import * as openpgp from "openpgp";
import type { AskPassphrase } from "./passphrase.ts";

export type SumsKey = openpgp.PrivateKey;
export type Keyring = openpgp.PublicKey[];

/** A new private key, in binary OpenPGP. It does not expire: systemd would refuse everything signed by an expired key. */
export async function createSumsKey(passphrase: string | undefined): Promise<Uint8Array> {
  const { privateKey } = await openpgp.generateKey({
    type: "ecc",
    curve: "ed25519Legacy",
    userIDs: [{ name: "Ashlar releases" }],
    format: "object",
    ...(passphrase !== undefined && { passphrase }),
  });
  return privateKey.write();
}

/** @throws AshlarError `invalid` */
export async function parseSumsKey(path: string, bytes: Uint8Array, ask: AskPassphrase): Promise<SumsKey> {
  let privateKey: openpgp.PrivateKey;
  try {
    privateKey = await openpgp.readPrivateKey({ binaryKey: bytes });
  } catch (error) {
    throw new AshlarError("invalid", `${path}: expected an OpenPGP private key`, { cause: error });
  }
  if (privateKey.isDecrypted()) return privateKey;
  const passphrase = await ask();
  try {
    return await openpgp.decryptKey({ privateKey, passphrase });
  } catch (error) {
    throw new AshlarError("invalid", `${path}: the passphrase does not open it`, { cause: error });
  }
}

/** What `/usr/lib/systemd/import-pubring.pgp` holds on a machine that uses the repository. */
export function publicKeyring(key: SumsKey): Uint8Array {
  return key.toPublic().write();
}

/** @throws AshlarError `malformed` */
export async function parseKeyring(path: string, bytes: Uint8Array): Promise<Keyring> {
  try {
    return await openpgp.readKeys({ binaryKeys: bytes });
  } catch (error) {
    throw new AshlarError("malformed", `${path}: expected OpenPGP public keys`, { cause: error });
  }
}

/** A detached binary signature. */
export async function signSums(text: string, key: SumsKey): Promise<Uint8Array> {
  const message = await openpgp.createMessage({ binary: Buffer.from(text) });
  return await openpgp.sign({ message, signingKeys: key, detached: true, format: "binary" });
}

export async function isSignedSums(text: string, signature: Uint8Array, keyring: Keyring): Promise<boolean> {
  try {
    const message = await openpgp.createMessage({ binary: Buffer.from(text) });
    const parsed = await openpgp.readSignature({ binarySignature: signature });
    const { signatures } = await openpgp.verify({ message, signature: parsed, verificationKeys: keyring });
    await Promise.all(signatures.map(async ({ verified }) => await verified));
    return signatures.length > 0;
  } catch {
    return false;
  }
}
