import type { X509Certificate } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { ATTESTATION_KEY_ATTRIBUTES, nameOf, objectAttributeNames, parsePublic, type TpmPublic } from "@ashlar/formats";
import { attempt, expectSame, type Difference } from "./difference.ts";
import { certificateSha256, checkEkChain, parseCertificate, type EkRoots } from "./ek-chain.ts";
import { parsedOf } from "./maker-certificate.ts";

/**
 * The attestation key, checked: made in the TPM, never to leave it, and signing only what the TPM itself produced
 * (TPM 2.0 Library Part 1, 31.2), with one of the two schemes that Ashlar's nodes use: RSA where a TPM has no ECC.
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
  const scheme = schemeOf(ak);
  if (!SCHEMES.has(scheme)) {
    const expected = [...SCHEMES].join(" or ");
    differences.push({ code: "attestation-key", what: "attestation key's scheme", expected, found: scheme });
  }
  return ak;
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
  /** SHA-256 of the EK certificate's DER, or of the EK's TPM2B_PUBLIC where the TPM has no certificate: hexadecimal. */
  readonly ekSha256: string;
  /** The attestation key's TPM name, in hexadecimal. */
  readonly akName: string;
  /** DER in base64: what led from the EK's certificate to the maker's. They need no trust. */
  readonly ekIntermediates?: readonly string[];
};

type Ek = { readonly ekCertificate?: Uint8Array; readonly ekPublic?: Uint8Array };

/** By what an EK is pinned. A certificate and a TPM2B_PUBLIC can never be the same bytes. */
export function ekSha256Of({ ekCertificate, ekPublic }: Ek): string {
  return certificateSha256(ekCertificate ?? ekPublic ?? new Uint8Array());
}

export function checkPin(ak: TpmPublic, ek: Ek, pin: PinnedKeys, differences: Difference[]): void {
  expectSame(differences, "pin", "TPM (SHA-256 of its EK certificate, or of its EK)", pin.ekSha256, ekSha256Of(ek));
  expectSame(differences, "pin", "attestation key's name", pin.akName, nameOfKey(ak));
}

/** Whether a trusted maker vouches for the TPM. Gives what was accepted only because the operator has said so. */
export function checkEkCertificate(
  der: Uint8Array,
  ekRoots: EkRoots,
  now: Date,
  differences: Difference[],
  intermediates: readonly Uint8Array[] = [],
): readonly string[] {
  const chain = attempt(differences, "ek-chain", EK_CERTIFICATE, "a certificate", () => {
    return checkEkChain(parseCertificate(der, EK_CERTIFICATE), ekRoots, now, readable(intermediates));
  });
  if (chain?.problem !== undefined) {
    differences.push({
      code: "ek-chain",
      what: EK_CERTIFICATE,
      expected: "a certificate that a trusted TPM maker issued",
      found: chain.problem,
    });
  }
  return chain?.notes ?? [];
}

/** What cannot be read leads nowhere: a maker may have put something else beside its certificates. */
function readable(certificates: readonly Uint8Array[]): readonly X509Certificate[] {
  return certificates.flatMap((der) => {
    try {
      const { x509 } = parsedOf(parseCertificate(der, "intermediate certificate"));
      return [x509];
    } catch (error) {
      if (error instanceof AshlarError) return [];
      throw error;
    }
  });
}

export const EK_CERTIFICATE = "EK certificate";
