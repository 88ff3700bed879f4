import type { X509Certificate } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import {
  basicConstraintsOf,
  CERTIFICATE_EXTENSIONS,
  extendedKeyUsageOf,
  keyUsageOf,
  nameKey,
  nameText,
  type KeyUse,
} from "@ashlar/formats";
import type { EkRoots } from "./ek-roots.ts";
import {
  isIssuedBy,
  isSelfIssued,
  parsedOf,
  SIGNATURE_ALGORITHMS,
  titleOf,
  type ParsedCertificate,
} from "./maker-certificate.ts";

/** Makers' chains have up to three certificates above an EK's. */
const MAX_CHAIN_LENGTH = 6;
/** Each takes about 0.1 ms. A node's own intermediates could be many of one name. */
const MAX_SIGNATURE_CHECKS = 200;
/**
 * Critical extensions that are handled. Policies never refuse a chain here, since no policy is asked for and none is
 * required (RFC 5280, 6.1.1 c and e). Key identifiers and other names of a certificate's parties restrict nothing (4.2.1.1,
 * 4.2.1.2, 4.2.1.6 and 4.2.1.7): some makers mark them as critical all the same.
 */
const HANDLED_IN_AUTHORITIES: ReadonlySet<string> = new Set([
  CERTIFICATE_EXTENSIONS.basicConstraints,
  CERTIFICATE_EXTENSIONS.keyUsage,
  CERTIFICATE_EXTENSIONS.extendedKeyUsage,
  CERTIFICATE_EXTENSIONS.certificatePolicies,
  CERTIFICATE_EXTENSIONS.policyMappings,
  CERTIFICATE_EXTENSIONS.inhibitAnyPolicy,
  CERTIFICATE_EXTENSIONS.authorityKeyIdentifier,
  CERTIFICATE_EXTENSIONS.subjectKeyIdentifier,
  CERTIFICATE_EXTENSIONS.subjectAltName,
  CERTIFICATE_EXTENSIONS.issuerAltName,
]);
/** Those that the TCG EK Credential Profile 2.5, 3.2 names as well. Directory attributes only describe the TPM. */
const HANDLED_IN_LEAVES: ReadonlySet<string> = new Set([
  ...HANDLED_IN_AUTHORITIES,
  CERTIFICATE_EXTENSIONS.subjectDirectoryAttributes,
]);

export type CertificateChain = {
  /** What is wrong with it; undefined when a trusted authority vouches for the key. */
  readonly problem?: string;
  /** What was accepted only because the operator has said so. */
  readonly notes: readonly string[];
  /** The authorities that were passed, from below. */
  readonly authorities: readonly ParsedCertificate[];
};

/** What a key's certificate has to be, beside being issued by somebody who is trusted. */
export type LeafRules = {
  /** The kind of key, for a message. */
  readonly key: string;
  /** What it must say that it is for, where it says that at all (RFC 5280, 4.2.1.12). */
  readonly extendedKeyUsage: string;
  /** One of these it must allow (RFC 5280, 4.2.1.3), or say the above; none where makers' certificates are too odd to ask. */
  readonly keyUsage: readonly KeyUse[];
  readonly findMore?: (leaf: ParsedCertificate) => string | undefined;
  /** What an operator can do about an expired one. */
  readonly expiredHint: string;
};

/**
 * Checks that a certificate is of the right kind and that a trusted authority issued it (RFC 5280, 6.1, without policies and
 * revocation).
 *
 * @param intermediates what the node itself has: they only lead to an anchor
 */
export function checkChain(
  certificate: X509Certificate,
  rules: LeafRules,
  trusted: EkRoots,
  now: Date,
  intermediates: readonly ParsedCertificate[],
): CertificateChain {
  try {
    const leaf = parsedOf(certificate);
    const search = new ChainSearch(trusted, intermediates, now, rules);
    const problem = findLeafProblem(leaf, rules) ?? search.findValidityProblem(leaf);
    return problem === undefined ? search.chainAbove(leaf, 0, 0) : none(problem);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return none(error.message);
  }
}

function findLeafProblem(leaf: ParsedCertificate, rules: LeafRules): string | undefined {
  const { extensions } = leaf.fields;
  if (basicConstraintsOf(extensions).isAuthority) {
    return `a certificate authority's certificate, not ${rules.key}'s`;
  }
  const more = rules.findMore?.(leaf);
  if (more !== undefined) return more;
  const uses = extendedKeyUsageOf(extensions);
  if (uses !== undefined && !uses.includes(rules.extendedKeyUsage)) {
    return `a certificate for other uses (${uses.join(", ")})`;
  }
  const allowed = keyUsageOf(extensions);
  if (rules.keyUsage.length > 0) {
    if (uses === undefined && allowed === undefined) return "a certificate that does not say what its key is for";
    if (allowed !== undefined && !rules.keyUsage.some((use) => allowed.has(use))) {
      return `a certificate whose key is not for ${rules.keyUsage.join(" or ")}`;
    }
  }
  const unhandled = findUnhandled(extensions, HANDLED_IN_LEAVES);
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
  readonly #rules: LeafRules;
  #checksLeft = MAX_SIGNATURE_CHECKS;

  constructor(trusted: EkRoots, intermediates: readonly ParsedCertificate[], now: Date, rules: LeafRules) {
    this.#trusted = trusted;
    this.#intermediates = intermediates;
    this.#now = now;
    this.#rules = rules;
  }

  /** `depth`: certificates below this one; `pathLength`: those of them that a pathLenConstraint counts. */
  chainAbove(certificate: ParsedCertificate, depth: number, pathLength: number): CertificateChain {
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
      const above: CertificateChain = isAnchor
        ? { notes: [], authorities: [] }
        : this.chainAbove(issuer, depth + 1, next);
      if (above.problem === undefined) {
        const below = depth === 0 ? this.#notesOn(certificate) : [];
        const notes = [...below, ...this.#notesOn(issuer), ...above.notes];
        return { notes, authorities: [issuer, ...above.authorities] };
      }
      problem ??= above.problem;
    }
    return none(problem ?? this.#findIssuerProblem(certificate));
  }

  #findIssuerProblem(certificate: ParsedCertificate): string {
    const name = nameText(certificate.fields.issuer);
    const isNamed = this.#trusted.certificates.some((each) => each !== certificate && hasNameOf(each, certificate));
    if (!isNamed) return `no trusted issuer named ${name}`;
    const { signatureAlgorithm } = certificate.fields;
    if (!SIGNATURE_ALGORITHMS.has(signatureAlgorithm))
      return `a signature by ${signatureAlgorithm}, which is not accepted`;
    return `no trusted issuer named ${name} with the key that has signed it: has the maker more than one?`;
  }

  findValidityProblem(certificate: ParsedCertificate): string | undefined {
    const { notBefore, notAfter } = certificate.fields;
    if (this.#now < notBefore) return `a certificate that is not valid yet (${titleOf(certificate)})`;
    if (this.#now <= notAfter || this.#trusted.acceptExpired) return undefined;
    return `an expired certificate (${titleOf(certificate)}, ${dayOf(notAfter)})${this.#rules.expiredHint}`;
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
        throw new AshlarError(
          "limit",
          `certificate chain: expected at most ${MAX_SIGNATURE_CHECKS} signatures to check`,
        );
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

function none(problem: string): CertificateChain {
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
  const allowed = keyUsageOf(extensions);
  if (allowed?.has("keyCertSign") === false) return `an issuer that may not sign certificates (${titleOf(issuer)})`;
  if (constraints.pathLength !== undefined && pathLength > constraints.pathLength) {
    return `more authorities below ${titleOf(issuer)} than its path length (${constraints.pathLength})`;
  }
  const unhandled = findUnhandled(extensions, HANDLED_IN_AUTHORITIES);
  return unhandled && `an issuer with a critical extension that is not known (${titleOf(issuer)}, ${unhandled})`;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
