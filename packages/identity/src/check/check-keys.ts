import {
  ATTESTATION_KEY_ATTRIBUTES,
  ATTESTATION_KEY_OPTIONAL,
  ATTESTATION_KEY_REQUIRED,
  keyObjectOf,
  nameOf,
  objectAttributeNames,
  parsePublic,
  type TpmPublic,
} from "@ashlar/formats";
import { attempt, expectSame, type Difference } from "./difference.ts";
import { certificateSha256 } from "./maker-certificate.ts";
import type { Endorsement } from "./vouching.ts";

/**
 * The attestation key, checked: made in the TPM, never to leave it, and signing only what the TPM itself produced
 * (TPM 2.0 Library Part 1, 31.2), with one of the two schemes that Ashlar's nodes use: RSA where a TPM has no ECC.
 *
 * @param isCertified whether a cloud has made it: it decides who may use its key, see `ATTESTATION_KEY_OPTIONAL`
 */
export function checkAttestationKey(
  tpm2bPublic: Uint8Array,
  isCertified: boolean,
  differences: Difference[],
): TpmPublic | undefined {
  const ak = attempt(differences, "attestation-key", "attestation key", "a TPM2B_PUBLIC", () =>
    parsePublic(tpm2bPublic),
  );
  if (ak === undefined) return undefined;
  checkAttributes(ak, isCertified, differences);
  // Pins name keys by it.
  expectSame(differences, "attestation-key", "attestation key's name", "one by sha256", `one by ${ak.nameAlgorithm}`);
  const scheme = schemeOf(ak);
  if (!SCHEMES.has(scheme)) {
    const expected = [...SCHEMES].join(" or ");
    differences.push({ code: "attestation-key", what: "attestation key's scheme", expected, found: scheme });
  }
  return ak;
}

function checkAttributes({ attributes }: TpmPublic, isCertified: boolean, differences: Difference[]): void {
  const optional = isCertified ? ATTESTATION_KEY_OPTIONAL : 0;
  const required = isCertified ? ATTESTATION_KEY_REQUIRED : ATTESTATION_KEY_ATTRIBUTES;
  if ((attributes & ~optional) >>> 0 === required) return;
  const more = isCertified ? `, and at most ${objectAttributeNames(optional)} beside them` : "";
  differences.push({
    code: "attestation-key",
    what: "attestation key's attributes",
    expected: `${objectAttributeNames(required)}${more}`,
    found: objectAttributeNames(attributes),
  });
}

const SCHEMES: ReadonlySet<string> = new Set(["ECDSA with SHA-256 on P-256", "RSASSA with SHA-256, 2048 bits"]);

function schemeOf(key: TpmPublic): string {
  const { scheme } = key;
  const hash = "hash" in scheme ? ` with ${scheme.hash.replace("sha", "SHA-")}` : "";
  const kind = `${scheme.kind.toUpperCase()}${hash}`;
  return key.type === "ecc" ? `${kind} on ${key.curve}` : `${kind}, ${key.modulus.length * 8} bits`;
}

/** The key's TPM name, by which it is pinned, in hexadecimal. */
export function nameOfKey(key: TpmPublic): string {
  return Buffer.from(nameOf(key)).toString("hex");
}

/** What was learnt about a node's TPM when it was enrolled. */
export type PinnedKeys = {
  /**
   * SHA-256 in hexadecimal of the EK certificate's DER, or of the EK's TPM2B_PUBLIC where the TPM has no certificate, or of the
   * attestation key's SubjectPublicKeyInfo where a cloud has certified that: its certificate is renewed, and nothing is known of
   * an EK.
   */
  readonly ekSha256: string;
  /** The attestation key's TPM name, in hexadecimal. */
  readonly akName: string;
  /** DER in base64: what led from the EK's or attestation key's certificate to a root. They need no trust. */
  readonly ekIntermediates?: readonly string[];
};

/**
 * By what a TPM is pinned. A certificate, an EK and a SubjectPublicKeyInfo can never be the same bytes. Of a certified attestation
 * key it is the key alone: its attributes are what the node says, and other ones must not make another TPM of it.
 *
 * @throws AshlarError `invalid` for an attestation key whose numbers are no key
 */
export function ekSha256Of(ak: TpmPublic, { ekCertificate, ekPublic, akCertificate }: Endorsement): string {
  if (akCertificate !== undefined) return certificateSha256(keyObjectOf(ak).export({ type: "spki", format: "der" }));
  return certificateSha256(ekCertificate ?? ekPublic ?? new Uint8Array());
}

export function checkPin(ak: TpmPublic, shown: Endorsement, pin: PinnedKeys, differences: Difference[]): void {
  const what = "TPM (SHA-256 of its EK certificate, of its EK, or of its certified attestation key)";
  const found = attempt(differences, "pin", what, pin.ekSha256, () => ekSha256Of(ak, shown));
  if (found !== undefined) expectSame(differences, "pin", what, pin.ekSha256, found);
  expectSame(differences, "pin", "attestation key's name", pin.akName, nameOfKey(ak));
}
