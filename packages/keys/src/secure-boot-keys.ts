/**
 * The keys of Secure Boot: the platform key `PK` says who may change `KEK`, this who may change `db`, and programs start that a
 * certificate in `db` has signed (UEFI 2.10, 32.3). The private key of `db` signs each release; the other two are needed only to change
 * keys, and are best kept elsewhere.
 */
import { hash, randomBytes, type X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import {
  KEY_VARIABLES,
  type CertificateSigner,
  type KeyVariable,
  signingCertificatePem,
  writeAuthenticatedVariable,
  writeCertificateList,
} from "@ashlar/formats";
import { writeFileAtomically } from "@ashlar/host";
import { isThere, noSuchKey, openKey, readCertificate } from "./key-file.ts";
import type { AskPassphrase } from "./passphrase.ts";

/** The names in a key directory; `variable` is what enrols the certificate: public. */
export const SECURE_BOOT_FILES: Readonly<
  Record<KeyVariable, { readonly key: string; readonly certificate: string; readonly variable: string }>
> = {
  PK: filesOf("secure-boot-pk"),
  KEK: filesOf("secure-boot-kek"),
  db: filesOf("secure-boot-db"),
};

export type SecureBootParts = { readonly certificate: X509Certificate; readonly variable: Uint8Array };
export type SecureBootKeys = {
  /** Of `db`. */
  readonly signer: CertificateSigner;
  readonly parts: Readonly<Record<KeyVariable, SecureBootParts>>;
};

/** RFC 5280, 4.1.2.2: at most 20 octets. */
const SERIAL_NUMBER_BYTES = 16;

/**
 * Makes what a key directory lacks beside the private keys: certificates, and the variables with which a machine in set-up mode
 * enrols them.
 *
 * @throws AshlarError as `openKey`
 */
export async function createSecureBootParts(directory: string, ask: AskPassphrase): Promise<void> {
  for (const name of KEY_VARIABLES) {
    const { key, certificate } = SECURE_BOOT_FILES[name];
    if (await isThere(join(directory, certificate))) continue;
    const privateKey = await openKey(join(directory, key), "rsa", ask);
    const pem = signingCertificatePem(privateKey, `Ashlar Secure Boot ${name}`, randomBytes(SERIAL_NUMBER_BYTES));
    await writeFileAtomically(join(directory, certificate), pem);
  }
  const variables = KEY_VARIABLES.map((name) => join(directory, SECURE_BOOT_FILES[name].variable));
  if ((await Promise.all(variables.map(isThere))).every(Boolean)) return;
  const [pk, kek] = [await signerOf("PK", directory, ask), await signerOf("KEK", directory, ask)];
  const db = await readCertificate(join(directory, SECURE_BOOT_FILES.db.certificate));
  const owner = ownerOf(pk.certificate);
  // Firmware takes a later change only with a later time.
  const at = new Date();
  const write = async (name: KeyVariable, { raw }: X509Certificate, signer: CertificateSigner): Promise<void> => {
    const variable = writeAuthenticatedVariable(name, writeCertificateList(raw, owner), at, signer);
    await writeFileAtomically(join(directory, SECURE_BOOT_FILES[name].variable), variable);
  };
  await write("PK", pk.certificate, pk);
  await write("KEK", kek.certificate, pk);
  await write("db", db, kek);
}

/** @throws AshlarError as `openKey` and `readCertificate`; `invalid` also when key and certificate are not of each other */
export async function readSecureBootKeys(directory: string, ask: AskPassphrase): Promise<SecureBootKeys> {
  const read = async (name: KeyVariable): Promise<SecureBootParts> => {
    const { certificate, variable } = SECURE_BOOT_FILES[name];
    const path = join(directory, variable);
    if (!(await isThere(path))) throw noSuchKey("variable of Secure Boot", path);
    const parts = { certificate: await readCertificate(join(directory, certificate)), variable: await readFile(path) };
    const { raw } = parts.certificate;
    // The list of one certificate ends with it.
    if (parts.variable.subarray(-raw.length).equals(raw)) return parts;
    throw new AshlarError("invalid", `${directory}: ${variable} is not of ${certificate}`, {
      hint: `remove ${variable}, and \`ashlar release init\` makes it again: it needs the private keys of PK and KEK`,
    });
  };
  const parts = { PK: await read("PK"), KEK: await read("KEK"), db: await read("db") };
  return { signer: await signerOf("db", directory, ask), parts };
}

async function signerOf(name: KeyVariable, directory: string, ask: AskPassphrase): Promise<CertificateSigner> {
  const { key, certificate: file } = SECURE_BOOT_FILES[name];
  const privateKey = await openKey(join(directory, key), "rsa", ask);
  const certificate = await readCertificate(join(directory, file));
  if (certificate.checkPrivateKey(privateKey)) return { privateKey, certificate };
  throw new AshlarError("invalid", `${directory}: ${file} is not of ${key}`);
}

/** Whose entries these are, for people who look into the variables: a GUID that no other owner has (RFC 9562, version 8). */
function ownerOf({ raw }: X509Certificate): string {
  const bytes = hash("sha256", raw, "buffer").subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

function filesOf(name: string): { readonly key: string; readonly certificate: string; readonly variable: string } {
  return { key: `${name}.pem`, certificate: `${name}.crt`, variable: `${name}.auth` };
}
