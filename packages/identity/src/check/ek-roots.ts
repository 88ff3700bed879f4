import { AshlarError } from "@ashlar/base";
import { basicConstraintsOf, certificatesInFile, nameKey } from "@ashlar/formats";
import {
  certificateSha256,
  isIssuedBy,
  isSelfIssued,
  parseCertificate,
  parsedOf,
  type ParsedCertificate,
} from "./maker-certificate.ts";

/** Whom the operator trusts to issue certificates for one purpose: makers for EKs, or clouds for their virtual TPMs. */
export type EkRoots = {
  /** All certificates that were given. */
  readonly certificates: readonly ParsedCertificate[];
  /**
   * Where chains may end (RFC 5280, 6.1.1 d): authorities that no other one among them has issued. Makers publish roots
   * that an authority of the past has signed, which is hard to get: to name one is to trust it.
   */
  readonly anchors: ReadonlySet<ParsedCertificate>;
  /** Each one's issuers among all of them, by name and signature: looked up once for a whole fleet. */
  readonly issuers: ReadonlyMap<ParsedCertificate, readonly ParsedCertificate[]>;
  /** Whether the operator has said that certificates may have expired. */
  readonly acceptExpired: boolean;
};

export type EkRootsOptions = { readonly acceptExpired?: boolean };

/**
 * Parses roots and intermediates: a file of PEM, DER or PKCS #7.
 *
 * @throws AshlarError `malformed` for a certificate that cannot be read, `invalid` when there is no authority in it
 */
export function parseEkRoots(file: Uint8Array | string, options: EkRootsOptions = {}): EkRoots {
  return ekRootsOf(makerCertificates(file, "EK roots"), options);
}

/** The certificates of one file, in any form in which makers publish them. */
export function makerCertificates(file: Uint8Array | string, what: string): readonly ParsedCertificate[] {
  const bytes = typeof file === "string" ? Buffer.from(file) : file;
  return certificatesInFile(bytes, what).map((der, index) =>
    parsedOf(parseCertificate(der, `${what}: certificate ${index + 1}`)),
  );
}

/** @throws AshlarError `invalid` when none is an authority's */
export function ekRootsOf(
  given: readonly ParsedCertificate[],
  { acceptExpired = false }: EkRootsOptions = {},
): EkRoots {
  // Makers' bundles overlap.
  const certificates = [...new Map(given.map((each) => [certificateSha256(each.x509.raw), each])).values()];
  const issuers = issuersAmong(certificates);
  const authorities = certificates.filter(({ fields }) => basicConstraintsOf(fields.extensions).isAuthority);
  if (authorities.length === 0) {
    throw new AshlarError(
      "invalid",
      `EK roots: expected a certificate authority's certificate, found none among ${certificates.length}`,
      { hint: "name the maker's root certificate: see docs/guides/trust.md" },
    );
  }
  const isTop = (each: ParsedCertificate): boolean => {
    const found = issuers.get(each) ?? [];
    return found.length === 0 || found.includes(each);
  };
  const top = authorities.filter(isTop);
  // Two that have signed each other have no top: each was named.
  return { certificates, anchors: new Set(top.length > 0 ? top : authorities), issuers, acceptExpired };
}

/** Each takes about 0.3 ms. All makers together have some 2000 authorities, most with a name of their own. */
const MAX_SIGNATURE_CHECKS = 5000;

/** Only keys of the right name are tried, each once. What has signed itself needs no other issuer. */
function issuersAmong(certificates: readonly ParsedCertificate[]): EkRoots["issuers"] {
  const byName = Map.groupBy(certificates, ({ fields }) => nameKey(fields.subject));
  let checksLeft = MAX_SIGNATURE_CHECKS;
  const isSigned = (each: ParsedCertificate, other: ParsedCertificate): boolean => {
    checksLeft -= 1;
    if (checksLeft >= 0) return isIssuedBy(each, other);
    throw new AshlarError("limit", `EK roots: expected at most ${MAX_SIGNATURE_CHECKS} signatures to check`, {
      hint: "leave out certificates that have the name of others",
    });
  };
  const issuersOf = (each: ParsedCertificate): readonly ParsedCertificate[] => {
    if (isSelfIssued(each) && isSigned(each, each)) return [each];
    const named = byName.get(nameKey(each.fields.issuer)) ?? [];
    const byKey = Map.groupBy(named, ({ fields }) => certificateSha256(fields.publicKeyInfo));
    return [...byKey.values()].filter(([first]) => first !== undefined && isSigned(each, first)).flat();
  };
  return new Map(certificates.map((each) => [each, issuersOf(each)]));
}
