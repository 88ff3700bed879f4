import type { X509Certificate } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import {
  basicConstraintsOf,
  CERTIFICATE_EXTENSIONS,
  directoryNamesOf,
  extendedKeyUsageOf,
  maySignCertificates,
  nameKey,
  nameText,
} from "@ashlar/formats";
import type { EkRoots } from "./ek-roots.ts";
import { isIssuedBy, isSelfIssued, parsedOf, titleOf, type ParsedCertificate } from "./maker-certificate.ts";

export { parseEkRoots } from "./ek-roots.ts";
export type { EkRoots } from "./ek-roots.ts";
export { certificateSha256, parseCertificate } from "./maker-certificate.ts";

/** Makers' chains have up to three certificates above an EK's. */
const MAX_CHAIN_LENGTH = 6;
/** Each takes about 0.1 ms. A node's own intermediates could be many of one name. */
const MAX_SIGNATURE_CHECKS = 200;
/** TCG EK Credential Profile 2.5, 3.2.15: tcg-kp-EKCertificate. */
const EK_CERTIFICATE_USAGE = "2.23.133.8.1";
/** TCG EK Credential Profile 2.5, 3.2.9: tcg-at-tpmManufacturer, in the directory name of the subjectAltName. */
const TPM_MANUFACTURER = "2.23.133.2.1";

/**
 * Critical extensions that are handled. Policies never refuse a chain here, since no policy is asked for and none is
 * required (RFC 5280, 6.1.1 c and e).
 */
const HANDLED_IN_AUTHORITIES: ReadonlySet<string> = new Set([
  CERTIFICATE_EXTENSIONS.basicConstraints,
  CERTIFICATE_EXTENSIONS.keyUsage,
  CERTIFICATE_EXTENSIONS.extendedKeyUsage,
  CERTIFICATE_EXTENSIONS.certificatePolicies,
  CERTIFICATE_EXTENSIONS.policyMappings,
  CERTIFICATE_EXTENSIONS.inhibitAnyPolicy,
  CERTIFICATE_EXTENSIONS.authorityKeyIdentifier,
]);
/** Those that the TCG EK Credential Profile 2.5, 3.2 names as well. Directory attributes only describe the TPM. */
const HANDLED_IN_EK_CERTIFICATES: ReadonlySet<string> = new Set([
  ...HANDLED_IN_AUTHORITIES,
  CERTIFICATE_EXTENSIONS.subjectAltName,
  CERTIFICATE_EXTENSIONS.subjectDirectoryAttributes,
]);

export type EkChain = {
  /** What is wrong with it; undefined when a trusted maker vouches for the key. */
  readonly problem?: string;
  /** What was accepted only because the operator has said so. */
  readonly notes: readonly string[];
  /** The authorities that were passed, from below. */
  readonly authorities: readonly ParsedCertificate[];
};

/** @returns what is wrong with an EK certificate, or undefined. See {@link checkEkChain}. */
export function findEkChainProblem(
  ek: X509Certificate,
  trusted: EkRoots,
  now: Date,
  intermediates: readonly X509Certificate[] = [],
): string | undefined {
  return checkEkChain(ek, trusted, now, intermediates).problem;
}

/**
 * Checks that a certificate is an endorsement key's and that a trusted maker issued it (RFC 5280, 6.1, without policies and
 * revocation).
 *
 * @param intermediates what the node itself has: they only lead to an anchor
 */
export function checkEkChain(
  ek: X509Certificate,
  trusted: EkRoots,
  now: Date,
  intermediates: readonly X509Certificate[] = [],
): EkChain {
  try {
    const leaf = parsedOf(ek);
    const search = new ChainSearch(trusted, intermediates.map(parsedOf), now);
    const problem = findEkProblem(leaf) ?? search.findValidityProblem(leaf);
    if (problem !== undefined) return { problem, notes: [], authorities: [] };
    return search.chainAbove(leaf, 0, 0);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return { problem: error.message, notes: [], authorities: [] };
  }
}

function findEkProblem({ fields: { extensions } }: ParsedCertificate): string | undefined {
  if (basicConstraintsOf(extensions).isAuthority)
    return "a certificate authority's certificate, not an endorsement key's";
  if (!directoryNamesOf(extensions).some(({ type }) => type === TPM_MANUFACTURER)) {
    return "a certificate that names no TPM manufacturer";
  }
  const uses = extendedKeyUsageOf(extensions);
  if (uses !== undefined && !uses.includes(EK_CERTIFICATE_USAGE)) {
    return `a certificate for other uses (${uses.join(", ")})`;
  }
  const unhandled = findUnhandled(extensions, HANDLED_IN_EK_CERTIFICATES);
  return unhandled && `a certificate with a critical extension that is not known (${unhandled})`;
}

function findUnhandled(
  extensions: ParsedCertificate["fields"]["extensions"],
  handled: ReadonlySet<string>,
): string | undefined {
  return [...extensions].find(([identifier, { isCritical }]) => isCritical && !handled.has(identifier))?.[0];
}

/** A depth-first search for an anchor. */
class ChainSearch {
  readonly #trusted: EkRoots;
  readonly #intermediates: readonly ParsedCertificate[];
  readonly #now: Date;
  #checksLeft = MAX_SIGNATURE_CHECKS;

  constructor(trusted: EkRoots, intermediates: readonly ParsedCertificate[], now: Date) {
    this.#trusted = trusted;
    this.#intermediates = intermediates;
    this.#now = now;
  }

  /** `depth`: certificates below this one; `pathLength`: those of them that a pathLenConstraint counts. */
  chainAbove(certificate: ParsedCertificate, depth: number, pathLength: number): EkChain {
    if (depth === MAX_CHAIN_LENGTH) return none(`a chain of more than ${MAX_CHAIN_LENGTH} certificates`);
    let problem: string | undefined;
    for (const issuer of this.#issuersOf(certificate)) {
      const found = this.findValidityProblem(issuer) ?? findAuthorityProblem(issuer, pathLength);
      if (found !== undefined) {
        problem ??= found;
        continue;
      }
      const isAnchor = this.#trusted.anchors.has(issuer);
      const next = pathLength + (isSelfIssued(issuer) ? 0 : 1);
      const above: EkChain = isAnchor ? { notes: [], authorities: [] } : this.chainAbove(issuer, depth + 1, next);
      if (above.problem === undefined) {
        const below = depth === 0 ? this.#notesOn(certificate) : [];
        const notes = [...below, ...this.#notesOn(issuer), ...above.notes];
        return { notes, authorities: [issuer, ...above.authorities] };
      }
      problem ??= above.problem;
    }
    return none(problem ?? `no trusted issuer named ${nameText(certificate.fields.issuer)}`);
  }

  findValidityProblem(certificate: ParsedCertificate): string | undefined {
    const { notBefore, notAfter } = certificate.fields;
    if (this.#now < notBefore) return `a certificate that is not valid yet (${titleOf(certificate)})`;
    if (this.#now <= notAfter || this.#trusted.acceptExpired) return undefined;
    return `an expired certificate (${titleOf(certificate)}, ${dayOf(notAfter)}): see --accept-expired-ek`;
  }

  *#issuersOf(certificate: ParsedCertificate): Generator<ParsedCertificate> {
    const known = this.#trusted.issuers.get(certificate);
    yield* known ?? this.#checked(certificate, this.#trusted.certificates);
    if (known === undefined) yield* this.#checked(certificate, this.#intermediates);
  }

  *#checked(certificate: ParsedCertificate, candidates: readonly ParsedCertificate[]): Generator<ParsedCertificate> {
    for (const candidate of candidates) {
      if (candidate === certificate || !hasNameOf(candidate, certificate)) continue;
      if (this.#checksLeft === 0) {
        throw new AshlarError("limit", `EK chain: expected at most ${MAX_SIGNATURE_CHECKS} signatures to check`);
      }
      this.#checksLeft -= 1;
      if (isIssuedBy(certificate, candidate)) yield candidate;
    }
  }

  #notesOn(certificate: ParsedCertificate): readonly string[] {
    const { notAfter } = certificate.fields;
    if (this.#now <= notAfter) return [];
    return [`accepted although it has expired: the maker's certificate ${titleOf(certificate)}, ${dayOf(notAfter)}`];
  }
}

function none(problem: string): EkChain {
  return { problem, notes: [], authorities: [] };
}

function hasNameOf(issuer: ParsedCertificate, { fields }: ParsedCertificate): boolean {
  return nameKey(issuer.fields.subject) === nameKey(fields.issuer);
}

/** RFC 5280, 6.1.4 k to o. */
function findAuthorityProblem(issuer: ParsedCertificate, pathLength: number): string | undefined {
  const { extensions } = issuer.fields;
  const constraints = basicConstraintsOf(extensions);
  if (!constraints.isAuthority) return `an issuer that is no certificate authority (${titleOf(issuer)})`;
  if (maySignCertificates(extensions) === false) return `an issuer that may not sign certificates (${titleOf(issuer)})`;
  if (constraints.pathLength !== undefined && pathLength > constraints.pathLength) {
    return `more authorities below ${titleOf(issuer)} than its path length (${constraints.pathLength})`;
  }
  const unhandled = findUnhandled(extensions, HANDLED_IN_AUTHORITIES);
  return unhandled && `an issuer with a critical extension that is not known (${titleOf(issuer)}, ${unhandled})`;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
