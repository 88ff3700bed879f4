import type { X509Certificate } from "node:crypto";
import { directoryNamesOf, keyUsageOf } from "@ashlar/formats";
import { checkChain, type CertificateChain, type LeafRules } from "./certificate-chain.ts";
import type { EkRoots } from "./ek-roots.ts";
import type { ParsedCertificate } from "./maker-certificate.ts";

export type { CertificateChain as EkChain } from "./certificate-chain.ts";
export { parseEkRoots } from "./ek-roots.ts";
export type { EkRoots } from "./ek-roots.ts";
export { certificateSha256, parseCertificate } from "./maker-certificate.ts";

/** TCG EK Credential Profile 2.5, 3.2.9: tcg-at-tpmManufacturer, in the directory name of the subjectAltName. */
const TPM_MANUFACTURER = "2.23.133.2.1";

/** What the TCG EK Credential Profile 2.5, 3.2 asks of an EK certificate. Makers' key usages are many, and some are wrong. */
const MAKERS_RULES: LeafRules = {
  key: "an endorsement key",
  extendedKeyUsage: "2.23.133.8.1",
  keyUsage: [],
  findMore: (leaf) => (namesManufacturer(leaf) ? undefined : "a certificate that names no TPM manufacturer"),
  expiredHint: ": see --accept-expired-ek",
};

/** Google's certificates for the EKs of its virtual TPMs name no manufacturer: their issuer issues nothing else. */
const CLOUDS_RULES: LeafRules = {
  key: "an endorsement key",
  extendedKeyUsage: MAKERS_RULES.extendedKeyUsage,
  keyUsage: ["keyEncipherment", "keyAgreement"],
  expiredHint: "",
};

/** Whether a certificate says who made its TPM, as a maker's does and a cloud's may not. @throws AshlarError `malformed` */
export function namesManufacturer({ fields }: ParsedCertificate): boolean {
  return directoryNamesOf(fields.extensions).some(({ type }) => type === TPM_MANUFACTURER);
}

/** Whether a certificate's key is for encryption, as an endorsement key's is and an attestation key's is not. @throws AshlarError */
export function isForEncryption({ fields }: ParsedCertificate): boolean {
  const allowed = keyUsageOf(fields.extensions);
  return CLOUDS_RULES.keyUsage.some((use) => allowed?.has(use) === true);
}

/** @returns what is wrong with an EK certificate, or undefined. See {@link checkEkChain}. */
export function findEkChainProblem(
  ek: X509Certificate,
  trusted: EkRoots,
  now: Date,
  intermediates: readonly ParsedCertificate[] = [],
): string | undefined {
  return checkEkChain(ek, trusted, now, intermediates).problem;
}

/** Checks that a certificate is an endorsement key's and that a trusted maker issued it. See {@link checkChain}. */
export function checkEkChain(
  ek: X509Certificate,
  trusted: EkRoots,
  now: Date,
  intermediates: readonly ParsedCertificate[] = [],
): CertificateChain {
  return checkChain(ek, MAKERS_RULES, trusted, now, intermediates);
}

/** The same for a cloud's EK certificate, which names no manufacturer: `clouds` must be trusted for exactly this. */
export function checkCloudEkChain(
  ek: X509Certificate,
  clouds: EkRoots,
  now: Date,
  intermediates: readonly ParsedCertificate[] = [],
): CertificateChain {
  return checkChain(ek, CLOUDS_RULES, clouds, now, intermediates);
}
