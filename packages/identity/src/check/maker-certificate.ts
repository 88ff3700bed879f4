import { hash, type KeyObject, X509Certificate } from "node:crypto";
import { AshlarError, messageOf } from "@ashlar/base";
import { certificateKeyOf, nameKey, nameText, parseCertificateFields, type CertificateFields } from "@ashlar/formats";

/** A certificate as both of its readers see it: ours for what it says, OpenSSL's for its signature. */
export type ParsedCertificate = { readonly x509: X509Certificate; readonly fields: CertificateFields };

/** Parses a certificate, DER or PEM. @throws AshlarError `malformed` */
export function parseCertificate(bytes: Uint8Array | string, what: string): X509Certificate {
  try {
    const certificate = new X509Certificate(bytes);
    // OpenSSL reads the first of several certificates and ignores bytes after it.
    if (typeof bytes !== "string" && !certificate.raw.equals(bytes)) throw new Error("bytes after its end");
    return certificate;
  } catch (error) {
    // Node.js tries PEM after DER, and tells only of that.
    const isPem = typeof bytes === "string" || bytes[0] === "-".charCodeAt(0);
    const reason = isPem || !messageOf(error).includes("PEM") ? messageOf(error) : "it is damaged, or no certificate";
    throw new AshlarError("malformed", `${what}: expected an X.509 certificate: ${reason}`);
  }
}

/** @throws AshlarError `malformed` */
export function parsedOf(x509: X509Certificate): ParsedCertificate {
  return { x509, fields: parseCertificateFields(x509.raw) };
}

/**
 * The certificates that can be read, of those that came with a TPM. The others lead nowhere: a maker may have put something else
 * beside its certificates.
 */
export function readableCertificates(ders: readonly Uint8Array[]): readonly ParsedCertificate[] {
  return ders.flatMap((der) => {
    try {
      return [parsedOf(parseCertificate(der, "intermediate certificate"))];
    } catch (error) {
      if (error instanceof AshlarError) return [];
      throw error;
    }
  });
}

/**
 * The endorsement key that a certificate is for.
 *
 * @throws AshlarError `malformed` or `invalid` for one that cannot be read
 */
export function ekKeyOf(certificate: X509Certificate): ReturnType<typeof certificateKeyOf> {
  return certificateKeyOf(parseCertificateFields(certificate.raw).publicKeyInfo);
}

/**
 * What certificates are signed with: RSA (RFC 8017) and ECDSA (RFC 5758). SHA-1 is among them, because makers' old
 * certificates have it, and nobody but the maker chooses what is in them. MD5 is not.
 */
export const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set([
  ...[5, 10, 11, 12, 13, 14].map((last) => `1.2.840.113549.1.1.${last}`),
  ...["1", "3.1", "3.2", "3.3", "3.4"].map((last) => `1.2.840.10045.4.${last}`),
]);

/** By name and signature: swtpm, like some makers, leaves the key identifiers empty, and others' are odd. */
export function isIssuedBy(certificate: ParsedCertificate, issuer: ParsedCertificate): boolean {
  if (issuer.fields.subject.length === 0) return false;
  if (nameKey(certificate.fields.issuer) !== nameKey(issuer.fields.subject)) return false;
  if (!SIGNATURE_ALGORITHMS.has(certificate.fields.signatureAlgorithm)) return false;
  try {
    return certificate.x509.verify(issuerKeyOf(issuer));
  } catch {
    // OpenSSL throws for a key of another type than the signature's.
    return false;
  }
}

/** The keys of those who have issued certificates: a fleet's nodes have few makers, and each key is made once. */
const ISSUER_KEYS = new WeakMap<ParsedCertificate, KeyObject>();

function issuerKeyOf(issuer: ParsedCertificate): KeyObject {
  const known = ISSUER_KEYS.get(issuer);
  if (known !== undefined) return known;
  const key = certificateKeyOf(issuer.fields.publicKeyInfo);
  ISSUER_KEYS.set(issuer, key);
  return key;
}

export function isSelfIssued({ fields }: ParsedCertificate): boolean {
  return nameKey(fields.issuer) === nameKey(fields.subject);
}

/** What to call a certificate in a message. */
export function titleOf({ fields }: ParsedCertificate): string {
  return fields.subject.length === 0 ? "without a subject" : nameText(fields.subject);
}

/** What a pin remembers of an EK certificate: SHA-256 over its DER, in hexadecimal. */
export function certificateSha256(der: Uint8Array): string {
  return hash("sha256", der, "hex");
}
