import { stat } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { configDirectory, isMissing, listDirectory, readNamedFile } from "@ashlar/host";
import {
  ekRootsOf,
  makerCertificates,
  type EkRoots,
  type EkRootsOptions,
  type ParsedCertificate,
} from "@ashlar/identity";

const MAX_FILES = 1000;
/** What the files with certificates are called in a directory, where other files may lie as well. */
const CERTIFICATE_FILE = /\.(?:pem|crt|cer|der|p7b|p7c)$/iu;

/** The certificates of a file in any form, or of all such files in a directory. @throws AshlarError */
export async function readMakerCertificates(path: string): Promise<readonly ParsedCertificate[]> {
  if (!(await leadsToDirectory(path))) {
    return makerCertificates(await readNamedFile(path, "trusted TPM makers"), path);
  }
  const entries = await listDirectory(path, MAX_FILES, { links: "follow" });
  const names = entries.map(({ name }) => name).filter((name) => CERTIFICATE_FILE.test(name));
  if (names.length === 0) {
    throw new AshlarError("invalid", `${path}: expected files with certificates, found none`, {
      hint: "their names end in .pem, .crt, .cer, .der or .p7b",
    });
  }
  const certificates: ParsedCertificate[] = [];
  for (const name of names) {
    const file = join(path, name);
    certificates.push(...makerCertificates(await readNamedFile(file, "trusted TPM makers"), file));
  }
  return certificates;
}

/** Whom a user trusts: see {@link readMakerCertificates}. */
export async function readEkRoots(path: string, options: EkRootsOptions = {}): Promise<EkRoots> {
  return ekRootsOf(await readMakerCertificates(path), options);
}

/** The certificates as one bundle, for other programs and for later. */
export function pemOf(certificates: readonly ParsedCertificate[]): string {
  return certificates.map(({ x509 }) => x509.toString()).join("");
}

async function leadsToDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) throw new AshlarError("not-found", `expected trusted TPM makers at ${path}, found nothing`);
    throw new AshlarError("failed", `${path}: cannot be looked at`, { cause: error });
  }
}

/** Where `ashlar trust` keeps the makers' certificates that a user trusts, one a file. */
export function trustStorePath(): string {
  return join(configDirectory(), "trust");
}

/** The user's store, when there is anything in it. */
export async function trustStoreInUse(): Promise<string | undefined> {
  const path = trustStorePath();
  const entries = await listDirectory(path, MAX_FILES, { links: "follow" });
  return entries.some(({ name }) => CERTIFICATE_FILE.test(name)) ? path : undefined;
}
