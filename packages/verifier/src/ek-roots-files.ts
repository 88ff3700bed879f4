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

/** What somebody is trusted for: makers vouch for EKs, clouds for the keys of the virtual TPMs that they run. */
export type TrustPurpose = "maker" | "cloud";

/** Where `ashlar trust` keeps the certificates that a user trusts for a purpose, one a file. */
export function trustStorePath(purpose: TrustPurpose = "maker"): string {
  return join(configDirectory(), purpose === "maker" ? "trust" : "trust-clouds");
}

/** The user's store, when there is anything in it. */
export async function trustStoreInUse(purpose: TrustPurpose = "maker"): Promise<string | undefined> {
  const path = trustStorePath(purpose);
  const entries = await listDirectory(path, MAX_FILES, { links: "follow" });
  return entries.some(({ name }) => CERTIFICATE_FILE.test(name)) ? path : undefined;
}

export type TrustSources = {
  /** What was named: a file or directory each. */
  readonly ekRoots?: string | undefined;
  readonly cloudRoots?: string | undefined;
  /** A lab's own maker. A lab is in no cloud, and nothing of the user's store counts for it. */
  readonly labRoots?: string | undefined;
  /** Whether makers' certificates may have expired. */
  readonly acceptExpired?: boolean | undefined;
};

/** Whom to trust: what was named, else the lab's, else the user's stores. @throws AshlarError */
export async function readTrust(
  sources: TrustSources,
): Promise<{ readonly ekRoots: EkRoots | undefined; readonly cloudRoots: EkRoots | undefined }> {
  const { labRoots, acceptExpired = false } = sources;
  const makers = sources.ekRoots ?? labRoots ?? (await trustStoreInUse("maker"));
  const clouds = sources.cloudRoots ?? (labRoots === undefined ? await trustStoreInUse("cloud") : undefined);
  return {
    ekRoots: makers === undefined ? undefined : await readEkRoots(makers, { acceptExpired }),
    cloudRoots: clouds === undefined ? undefined : await readEkRoots(clouds),
  };
}
