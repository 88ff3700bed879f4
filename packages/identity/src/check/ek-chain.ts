import { createHash, X509Certificate } from "node:crypto";
import { AshlarError, messageOf } from "@ashlar/base";

/** Makers' certificates: the self-signed ones are trusted, the others only lead to them. */
export type EkRoots = {
  readonly certificates: readonly X509Certificate[];
  readonly roots: ReadonlySet<X509Certificate>;
  /** Each one's issuers among all of them, by name and signature: looked up once for a whole fleet. */
  readonly issuers: ReadonlyMap<X509Certificate, readonly X509Certificate[]>;
};

const MAX_BUNDLE_CHARACTERS = 4 * 1024 * 1024;
const MAX_CERTIFICATES = 1000;
/** Makers' chains have up to three certificates above an EK's. */
const MAX_CHAIN_LENGTH = 6;
/** TCG EK Credential Profile 2.5, 3.2.15: tcg-kp-EKCertificate. */
const EK_CERTIFICATE_USAGE = "2.23.133.8.1";
/** TCG EK Credential Profile 2.5, 3.2.9: the manufacturer, in the directory name of a critical subjectAltName. */
const TPM_MANUFACTURER = /2\.23\.133\.2\.1\b|tcg-at-tpmManufacturer/u;

/**
 * Parses a PEM bundle of roots and intermediates.
 *
 * @throws AshlarError `malformed` for a certificate that cannot be read, `invalid` when there is no root in it
 */
export function parseEkRoots(pem: string): EkRoots {
  if (pem.length > MAX_BUNDLE_CHARACTERS) {
    throw new AshlarError("limit", `EK roots: expected at most ${MAX_BUNDLE_CHARACTERS} characters of PEM`);
  }
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/gu) ?? [];
  if (blocks.length > MAX_CERTIFICATES) {
    throw new AshlarError(
      "limit",
      `EK roots: expected at most ${MAX_CERTIFICATES} certificates, found ${blocks.length}`,
    );
  }
  const certificates = blocks.map((block, index) => parseCertificate(block, `EK roots: certificate ${index + 1}`));
  const issuers = new Map(certificates.map((certificate) => [certificate, issuersAmong(certificates, certificate)]));
  const roots = new Set(certificates.filter((certificate) => issuers.get(certificate)?.includes(certificate)));
  if (roots.size === 0) {
    throw new AshlarError(
      "invalid",
      `EK roots: expected a self-signed certificate, found none among ${certificates.length}`,
      { hint: "add the maker's root certificate to the PEM bundle" },
    );
  }
  return { certificates, roots, issuers };
}

/** Parses a certificate, DER or PEM. @throws AshlarError `malformed` */
export function parseCertificate(bytes: Uint8Array | string, what: string): X509Certificate {
  try {
    const certificate = new X509Certificate(bytes);
    // OpenSSL reads the first of several certificates and ignores bytes after it.
    if (typeof bytes !== "string" && !certificate.raw.equals(bytes)) throw new Error("bytes after its end");
    return certificate;
  } catch (error) {
    throw new AshlarError("malformed", `${what}: expected an X.509 certificate: ${messageOf(error)}`);
  }
}

/**
 * Checks that a certificate is an endorsement key's and that a trusted maker issued it.
 *
 * Issuers are found by name and signature: swtpm, like some makers, leaves the key identifiers empty.
 *
 * @returns what is wrong with it, or undefined
 */
export function findEkChainProblem(ek: X509Certificate, trusted: EkRoots, now: Date): string | undefined {
  if (ek.ca) return "a certificate authority's certificate, not an endorsement key's";
  if (!TPM_MANUFACTURER.test(ek.subjectAltName ?? "")) return "a certificate that names no TPM manufacturer";
  if (ek.keyUsage !== undefined && !ek.keyUsage.includes(EK_CERTIFICATE_USAGE)) {
    return `a certificate for other uses (${ek.keyUsage.join(", ")})`;
  }
  return findValidityProblem(ek, now) ?? findIssuerProblem(ek, trusted, now, MAX_CHAIN_LENGTH);
}

function findIssuerProblem(
  certificate: X509Certificate,
  trusted: EkRoots,
  now: Date,
  lengthLeft: number,
): string | undefined {
  if (lengthLeft === 0) return `a chain of more than ${MAX_CHAIN_LENGTH} certificates`;
  let problem: string | undefined;
  for (const issuer of trusted.issuers.get(certificate) ?? issuersAmong(trusted.certificates, certificate)) {
    const found = findValidityProblem(issuer, now) ?? findAuthorityProblem(issuer);
    if (found !== undefined) {
      problem ??= found;
      continue;
    }
    if (trusted.roots.has(issuer)) return undefined;
    const above = findIssuerProblem(issuer, trusted, now, lengthLeft - 1);
    if (above === undefined) return undefined;
    problem ??= above;
  }
  return problem ?? `no trusted issuer named ${oneLine(certificate.issuer)}`;
}

function issuersAmong(certificates: readonly X509Certificate[], certificate: X509Certificate): X509Certificate[] {
  return certificates.filter((candidate) => isIssuedBy(certificate, candidate));
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (certificate.issuer !== issuer.subject) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // OpenSSL throws for a key of another type than the signature's.
    return false;
  }
}

function findAuthorityProblem(issuer: X509Certificate): string | undefined {
  return issuer.ca ? undefined : `an issuer that is no certificate authority (${oneLine(issuer.subject)})`;
}

function findValidityProblem(certificate: X509Certificate, now: Date): string | undefined {
  const name = oneLine(certificate.subject);
  if (now < certificate.validFromDate) return `a certificate that is not valid yet (${name})`;
  return now > certificate.validToDate ? `an expired certificate (${name}, ${certificate.validTo})` : undefined;
}

function oneLine(name: string): string {
  return name.replaceAll("\n", ", ").slice(0, 200);
}

/** What a pin remembers of an EK certificate: SHA-256 over its DER, in hexadecimal. */
export function certificateSha256(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}
