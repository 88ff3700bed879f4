import { ATTESTATION_KEY_ATTRIBUTES, nameOf, objectAttributeNames, parsePublic, type TpmPublic } from "@ashlar/formats";
import { attempt, expectSame, type Difference } from "./difference.ts";
import { certificateSha256, findEkChainProblem, parseCertificate, type EkRoots } from "./ek-chain.ts";

/**
 * The attestation key, checked: made in the TPM, never to leave it, and signing only what the TPM itself produced
 * (TPM 2.0 Library Part 1, 31.2), with the one scheme that Ashlar's nodes use.
 */
export function checkAttestationKey(tpm2bPublic: Uint8Array, differences: Difference[]): TpmPublic | undefined {
  const ak = attempt(differences, "attestation-key", "attestation key", "a TPM2B_PUBLIC", () =>
    parsePublic(tpm2bPublic),
  );
  if (ak === undefined) return undefined;
  expectSame(
    differences,
    "attestation-key",
    "attestation key's attributes",
    objectAttributeNames(ATTESTATION_KEY_ATTRIBUTES),
    objectAttributeNames(ak.attributes),
  );
  expectSame(differences, "attestation-key", "attestation key's scheme", "ECDSA with SHA-256 on P-256", schemeOf(ak));
  return ak;
}

function schemeOf(key: TpmPublic): string {
  const { scheme } = key;
  if (key.type !== "ecc") return "RSA";
  const kind = scheme.kind === "ecdsa" ? `ECDSA with ${scheme.hash.replace("sha", "SHA-")}` : scheme.kind;
  return `${kind} on ${key.curve}`;
}

/** The key's TPM name, by which it is pinned, in hexadecimal. */
export function nameOfKey(key: TpmPublic): string {
  return Buffer.from(nameOf(key)).toString("hex");
}

/** What was learnt about a node's TPM when it was enrolled. */
export type PinnedKeys = {
  /** SHA-256 of the EK certificate's DER, in hexadecimal. */
  readonly ekSha256: string;
  /** The attestation key's TPM name, in hexadecimal. */
  readonly akName: string;
};

export function checkPin(ak: TpmPublic, ekCertificate: Uint8Array, pin: PinnedKeys, differences: Difference[]): void {
  expectSame(differences, "pin", "TPM (SHA-256 of its EK certificate)", pin.ekSha256, certificateSha256(ekCertificate));
  expectSame(differences, "pin", "attestation key's name", pin.akName, nameOfKey(ak));
}

/** Whether a trusted maker vouches for the TPM. */
export function checkEkCertificate(der: Uint8Array, ekRoots: EkRoots, now: Date, differences: Difference[]): void {
  const certificate = attempt(differences, "ek-chain", EK_CERTIFICATE, "a certificate", () =>
    parseCertificate(der, EK_CERTIFICATE),
  );
  const problem = certificate === undefined ? undefined : findEkChainProblem(certificate, ekRoots, now);
  if (problem !== undefined) {
    differences.push({
      code: "ek-chain",
      what: EK_CERTIFICATE,
      expected: "a certificate that a trusted TPM maker issued",
      found: problem,
    });
  }
}

export const EK_CERTIFICATE = "EK certificate";
