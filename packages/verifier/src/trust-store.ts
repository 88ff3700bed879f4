import { mkdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { basicConstraintsOf, sha256 } from "@ashlar/formats";
import { listDirectory, readLimited, writeFileAtomically } from "@ashlar/host";
import { makerCertificates, titleOfCertificate, type ParsedCertificate } from "@ashlar/identity";
import { pemOf, readMakerCertificates, trustStorePath } from "./ek-roots-files.ts";

/** A certificate of an authority that the user trusts to vouch for TPMs. */
export type TrustedMaker = {
  /** SHA-256 over its DER, in hexadecimal. */
  readonly sha256: string;
  readonly subject: string;
  /** `YYYY-MM-DD`. */
  readonly validTo: string;
};

const MAX_MAKERS = 1000;
const MAX_FILE_BYTES = 64 * 1024;
const STORED = /^(?<sha256>[0-9a-f]{64})\.pem$/u;

/** The user's store, sorted by name. A file of others in it is none of ours. */
export async function listTrusted(): Promise<readonly TrustedMaker[]> {
  const found: TrustedMaker[] = [];
  for (const { name } of await listDirectory(trustStorePath(), MAX_MAKERS, { links: "follow" })) {
    if (!STORED.test(name)) continue;
    const path = join(trustStorePath(), name);
    const certificates = makerCertificates(await readLimited(path, MAX_FILE_BYTES), path);
    found.push(...certificates.map(trustedOf));
  }
  return found.toSorted((a, b) => (a.subject < b.subject ? -1 : 1));
}

/**
 * Adds all certificates of a file or directory, or none.
 *
 * @throws AshlarError `invalid` when one of them is no authority's
 */
export async function addTrusted(place: string): Promise<readonly TrustedMaker[]> {
  const certificates = await readMakerCertificates(place);
  const other = certificates.find(({ fields }) => !basicConstraintsOf(fields.extensions).isAuthority);
  if (other !== undefined) {
    throw new AshlarError(
      "invalid",
      `${place}: expected certificates of authorities, found ${titleOfCertificate(other)}, which is none`,
      { hint: "an EK certificate is looked at with `ashlar trust check`" },
    );
  }
  await mkdir(trustStorePath(), { recursive: true, mode: 0o700 });
  for (const certificate of certificates) {
    const path = join(trustStorePath(), `${trustedOf(certificate).sha256}.pem`);
    await writeFileAtomically(path, pemOf([certificate]));
  }
  return certificates.map(trustedOf);
}

const FINGERPRINT_START = /^[0-9a-f]{8,64}$/u;

/** Removes the one whose fingerprint begins like this. */
export async function removeTrusted(fingerprint: string): Promise<TrustedMaker> {
  const start = fingerprint.replaceAll(":", "").toLowerCase();
  if (!FINGERPRINT_START.test(start)) {
    throw new AshlarError("usage", `expected at least 8 digits of a SHA-256 fingerprint, found ${fingerprint}`, {
      hint: "`ashlar trust list` shows them",
    });
  }
  const found = (await listTrusted()).filter(({ sha256: each }) => each.startsWith(start));
  const [only, ...more] = found;
  if (only === undefined) throw new AshlarError("not-found", `expected a trusted maker ${start}, found none`);
  if (more.length > 0)
    throw new AshlarError("usage", `expected one trusted maker, found ${found.length} that begin so`);
  await unlink(join(trustStorePath(), `${only.sha256}.pem`));
  return only;
}

function trustedOf(certificate: ParsedCertificate): TrustedMaker {
  const { x509, fields } = certificate;
  const validTo = fields.notAfter.toISOString().slice(0, 10);
  return { sha256: sha256(x509.raw), subject: titleOfCertificate(certificate), validTo };
}
