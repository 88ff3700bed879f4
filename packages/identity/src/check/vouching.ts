import type { X509Certificate } from "node:crypto";
import { certificateKeyOf, keyObjectOf, type TpmPublic } from "@ashlar/formats";
import { checkChain, type CertificateChain, type LeafRules } from "./certificate-chain.ts";
import { attempt, type Difference } from "./difference.ts";
import { checkCloudEkChain, checkEkChain, namesManufacturer, type EkRoots } from "./ek-chain.ts";
import {
  parseCertificate,
  parsedOf,
  readableCertificates,
  titleOf,
  type ParsedCertificate,
} from "./maker-certificate.ts";
import { noteVouched, type VouchedEks } from "./vouched-eks.ts";

/** Whom the operator trusts to vouch for TPMs, each for one purpose. Without any nothing is proven, only reported. */
export type TpmTrust = {
  /** Makers of TPMs, for the certificates of endorsement keys. */
  readonly ekRoots: EkRoots | undefined;
  /** Clouds, for the attestation and endorsement keys of the virtual TPMs that they run. */
  readonly cloudRoots?: EkRoots | undefined;
  /** Endorsement keys without a certificate that count as hardware all the same. */
  readonly vouchedEks?: VouchedEks | undefined;
};

/** What a node shows for its TPM. */
export type Endorsement = {
  readonly ekCertificate?: Uint8Array;
  readonly ekPublic?: Uint8Array;
  readonly akCertificate?: Uint8Array;
};

export type Vouching = {
  /** Who vouches, where that is not the TPM's maker, and what was accepted only because the operator has said so. */
  readonly notes: readonly string[];
  /** Why nobody does, where nothing is wrong: such a node is reported, not proven. */
  readonly missing?: Difference;
};

const BY_MAKER = "a certificate that a trusted TPM maker issued";
const BY_CLOUD = "a certificate that a trusted cloud issued for this key";
export const EK_CERTIFICATE = "EK certificate";
export const AK_CERTIFICATE = "attestation key's certificate";

/**
 * Whether somebody who is trusted vouches for the TPM: a cloud for the attestation key itself, a maker or a cloud for the
 * endorsement key, or its owner. Only one of them is asked, by what the node shows, so that the weakest never decides. What is
 * shown and does not hold is a difference.
 *
 * @param intermediates DER: they only lead to an anchor
 */
export function checkVouching(
  ak: TpmPublic | undefined,
  { akCertificate, ekCertificate, ekPublic }: Endorsement,
  trust: TpmTrust,
  now: Date,
  intermediates: readonly Uint8Array[],
  differences: Difference[],
): Vouching {
  const between = readableCertificates(intermediates);
  if (akCertificate !== undefined) return checkAkCertificate(ak, akCertificate, trust, now, between, differences);
  if (ekCertificate !== undefined) return checkEkCertificate(ekCertificate, trust, now, between, differences);
  const note = noteVouched(ekPublic, trust.vouchedEks);
  return note === undefined ? { notes: [], missing: NO_CERTIFICATE } : { notes: [note] };
}

function checkEkCertificate(
  der: Uint8Array,
  { ekRoots, cloudRoots }: TpmTrust,
  now: Date,
  between: readonly ParsedCertificate[],
  differences: Difference[],
): Vouching {
  if (ekRoots === undefined && cloudRoots === undefined) return { notes: [], missing: UNKNOWN_MAKER };
  const found = attempt(differences, "ek-chain", EK_CERTIFICATE, "a certificate", () => {
    const certificate = parseCertificate(der, EK_CERTIFICATE);
    if (cloudRoots !== undefined && !namesManufacturer(parsedOf(certificate))) {
      const chain = checkCloudEkChain(certificate, cloudRoots, now, between);
      return { chain, by: "a trusted cloud", note: `EK certified by ${chainText(chain)}` };
    }
    return ekRoots && { chain: checkEkChain(certificate, ekRoots, now, between), by: "a trusted TPM maker" };
  });
  // Clouds are trusted, and this is a maker's; or it could not be read, which is a difference.
  if (found === undefined) return { notes: [], missing: UNKNOWN_MAKER };
  const { chain, by, note } = { note: undefined, ...found };
  if (chain.problem !== undefined) {
    const expected = `a certificate that ${by} issued`;
    differences.push({ code: "ek-chain", what: EK_CERTIFICATE, expected, found: chain.problem });
  }
  return { notes: [...(note === undefined ? [] : [note]), ...chain.notes] };
}

/** TCG OID Registry: tcg-kp-AIKCertificate, as Azure's have it. Google's say digitalSignature alone. */
const AK_RULES: LeafRules = {
  key: "an attestation key",
  extendedKeyUsage: "2.23.133.8.3",
  keyUsage: ["digitalSignature"],
  expiredHint: "",
};

/** Checks that a certificate is an attestation key's and that a trusted cloud issued it. See {@link checkChain}. */
export function checkAkChain(
  certificate: X509Certificate,
  clouds: EkRoots,
  now: Date,
  intermediates: readonly ParsedCertificate[] = [],
): CertificateChain {
  return checkChain(certificate, AK_RULES, clouds, now, intermediates);
}

function checkAkCertificate(
  ak: TpmPublic | undefined,
  der: Uint8Array,
  { cloudRoots }: TpmTrust,
  now: Date,
  between: readonly ParsedCertificate[],
  differences: Difference[],
): Vouching {
  const certificate = attempt(differences, "ak-chain", AK_CERTIFICATE, BY_CLOUD, () => {
    const parsed = parseCertificate(der, AK_CERTIFICATE);
    return { parsed, isOfKey: isOfKey(parsed, ak) };
  });
  if (certificate === undefined) return { notes: [] };
  const { parsed, isOfKey: isSame } = certificate;
  // Also where no cloud is trusted: a node that shows another key's certificate is not what it says.
  if (!isSame) {
    differences.push({
      code: "ak-chain",
      what: AK_CERTIFICATE,
      expected: BY_CLOUD,
      found: "another key's certificate",
    });
    return { notes: [] };
  }
  if (cloudRoots === undefined) return { notes: [], missing: unknownCloud(parsed) };
  const chain = checkAkChain(parsed, cloudRoots, now, between);
  if (chain.problem === undefined)
    return { notes: [`attestation key certified by ${chainText(chain)}`, ...chain.notes] };
  differences.push({ code: "ak-chain", what: AK_CERTIFICATE, expected: BY_CLOUD, found: chain.problem });
  return { notes: [] };
}

function isOfKey(certificate: X509Certificate, ak: TpmPublic | undefined): boolean {
  if (ak === undefined) return false;
  return certificateKeyOf(parsedOf(certificate).fields.publicKeyInfo).equals(keyObjectOf(ak));
}

/** The issuer, and above it the anchor. */
function chainText({ authorities }: CertificateChain): string {
  const [issuer, ...above] = authorities.map(titleOf);
  return above.length === 0 ? String(issuer) : `${issuer}, under ${above.at(-1)}`;
}

function unknownCloud(certificate: X509Certificate): Difference {
  const issuer = certificate.issuer.replaceAll("\n", ", ");
  const found = `one by ${issuer}, and no trusted clouds were given (ashlar trust add --cloud, or --cloud-roots)`;
  return { code: "ak-chain", what: AK_CERTIFICATE, expected: BY_CLOUD, found };
}

const UNKNOWN_MAKER: Difference = {
  code: "ek-chain",
  what: EK_CERTIFICATE,
  expected: BY_MAKER,
  found: "no trusted makers were given, so that the TPM may be software",
};

const NO_CERTIFICATE: Difference = {
  code: "ek-chain",
  what: EK_CERTIFICATE,
  expected: BY_MAKER,
  found: "that this TPM has none: its maker vouches for it elsewhere or not at all, so that it may be software",
};
