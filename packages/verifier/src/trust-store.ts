import { mkdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { basicConstraintsOf, sha256 } from "@ashlar/formats";
import { listDirectory, readLimited, writeFileAtomically } from "@ashlar/host";
import { makerCertificates, titleOfCertificate, type ParsedCertificate } from "@ashlar/identity";
import { pemOf, readMakerCertificates, trustStorePath, type TrustPurpose } from "./ek-roots-files.ts";

/** A certificate of an authority that the user trusts to vouch for TPMs. */
export type TrustedMaker = {
  /** SHA-256 over its DER, in hexadecimal. */
  readonly sha256: string;
  readonly subject: string;
  /** `YYYY-MM-DD`. */
  readonly validTo: string;
  /** The same certificate may be trusted for both. */
  readonly purpose: TrustPurpose;
};

const PURPOSES: readonly TrustPurpose[] = ["maker", "cloud"];

const MAX_MAKERS = 1000;
const MAX_FILE_BYTES = 64 * 1024;
const STORED = /^(?<sha256>[0-9a-f]{64})\.pem$/u;

/** The user's stores, makers before clouds, each sorted by name. A file of others in them is none of ours. */
export async function listTrusted(): Promise<readonly TrustedMaker[]> {
  const found: TrustedMaker[] = [];
  for (const purpose of PURPOSES) {
    const ofPurpose: TrustedMaker[] = [];
    for (const { name } of await listDirectory(trustStorePath(purpose), MAX_MAKERS, { links: "follow" })) {
      if (!STORED.test(name)) continue;
      const path = join(trustStorePath(purpose), name);
      const certificates = makerCertificates(await readLimited(path, MAX_FILE_BYTES), path);
      ofPurpose.push(...certificates.map((each) => trustedOf(each, purpose)));
    }
    found.push(...ofPurpose.toSorted((a, b) => (a.subject < b.subject ? -1 : 1)));
  }
  return found;
}

/**
 * Adds all certificates of a file or directory, or none.
 *
 * @throws AshlarError `invalid` when one of them is no authority's
 */
export async function addTrusted(place: string, purpose: TrustPurpose = "maker"): Promise<readonly TrustedMaker[]> {
  const certificates = await readMakerCertificates(place);
  const other = certificates.find(({ fields }) => !basicConstraintsOf(fields.extensions).isAuthority);
  if (other !== undefined) {
    throw new AshlarError(
      "invalid",
      `${place}: expected certificates of authorities, found ${titleOfCertificate(other)}, which is none`,
      { hint: "the certificate of a TPM's key is looked at with `ashlar trust check`" },
    );
  }
  await mkdir(trustStorePath(purpose), { recursive: true, mode: 0o700 });
  for (const certificate of certificates) {
    const path = join(trustStorePath(purpose), `${sha256(certificate.x509.raw)}.pem`);
    await writeFileAtomically(path, pemOf([certificate]));
  }
  return certificates.map((each) => trustedOf(each, purpose));
}

const FINGERPRINT_START = /^[0-9a-f]{8,64}$/u;

/** Removes the one whose fingerprint begins like this. */
export async function removeTrusted(fingerprint: string, purpose: TrustPurpose = "maker"): Promise<TrustedMaker> {
  const start = fingerprint.replaceAll(":", "").toLowerCase();
  if (!FINGERPRINT_START.test(start)) {
    throw new AshlarError("usage", `expected at least 8 digits of a SHA-256 fingerprint, found ${fingerprint}`, {
      hint: "`ashlar trust list` shows them",
    });
  }
  const trusted = (await listTrusted()).filter((each) => each.purpose === purpose);
  const found = trusted.filter(({ sha256: each }) => each.startsWith(start));
  const [only, ...more] = found;
  if (only === undefined) throw new AshlarError("not-found", `expected a trusted ${purpose} ${start}, found none`);
  if (more.length > 0)
    throw new AshlarError("usage", `expected one trusted ${purpose}, found ${found.length} that begin so`);
  await unlink(join(trustStorePath(purpose), `${only.sha256}.pem`));
  return only;
}

function trustedOf(certificate: ParsedCertificate, purpose: TrustPurpose): TrustedMaker {
  const { x509, fields } = certificate;
  const validTo = fields.notAfter.toISOString().slice(0, 10);
  return { sha256: sha256(x509.raw), subject: titleOfCertificate(certificate), validTo, purpose };
}
