import {
  parseAttest,
  pcrDigestOf,
  selectedPcrs,
  verifyQuoteSignature,
  type Attest,
  type TpmPublic,
} from "@ashlar/formats";
import { PCR_BANKS, QUOTED_PCRS, qualifyingData } from "@ashlar/protocol";
import { attempt, expectSame, shown, type Difference } from "./difference.ts";
import type { Evidence } from "@ashlar/protocol/answers";

/** What the verifier knows about the channel on which it asked. */
export type Challenge = {
  readonly nonce: Uint8Array;
  /** The key of the TLS peer that answered, SubjectPublicKeyInfo as DER. */
  readonly tlsPublicKey: Uint8Array;
};

type SignedPcrs = Pick<Evidence, "quoteMessage" | "quoteSignature" | "pcrs">;

/**
 * The quote, when this key signed it over the claimed PCRs in answer to this challenge. The nonce makes it fresh; the TLS
 * key keeps a machine in between from passing on another's quote.
 */
export function checkQuote(
  ak: TpmPublic,
  evidence: Evidence,
  { nonce, tlsPublicKey }: Challenge,
  differences: Difference[],
): Attest | undefined {
  const isSameKey = expectSame(differences, "tls-key", "TLS key", shown(tlsPublicKey), shown(evidence.tlsPublicKey));
  const quote = checkBoundQuote(ak, evidence, qualifyingData(nonce, tlsPublicKey), differences);
  return isSameKey ? quote : undefined;
}

/** The quote, when this key signed it over the claimed PCRs and these bytes. */
export function checkBoundQuote(
  ak: TpmPublic,
  evidence: SignedPcrs,
  extraData: Uint8Array,
  differences: Difference[],
): Attest | undefined {
  const before = differences.length;
  const quote = attempt(differences, "quote", "quote", "a TPMS_ATTEST of a quote", () =>
    parseAttest(evidence.quoteMessage),
  );
  if (quote === undefined) return undefined;
  checkSignature(ak, evidence, differences);
  expectSame(differences, "qualifying-data", "quote's qualifying data", shown(extraData), shown(quote.extraData));
  if (checkSelection(quote, differences)) checkPcrDigest(quote, evidence, differences);
  return differences.length === before ? quote : undefined;
}

function checkSignature(ak: TpmPublic, evidence: SignedPcrs, differences: Difference[]): void {
  const expected = "a signature by the attestation key";
  const holds = attempt(differences, "quote-signature", "quote's signature", expected, () =>
    verifyQuoteSignature(ak, evidence.quoteMessage, evidence.quoteSignature),
  );
  if (holds === false) {
    differences.push({
      code: "quote-signature",
      what: "quote's signature",
      expected,
      found: "a signature by another key or over other bytes",
    });
  }
}

const ALL = QUOTED_PCRS.join(",");

/**
 * A TPM takes the PCRs of a bank that is off out of the selection and signs the rest (TPM2_Quote of the reference
 * implementation, FilterPcr): where SHA-384 is quoted, the quote itself says whether SHA-256 is off. So nobody can leave out the
 * bank in which the boot has been measured, and fill the other one, into which the firmware does not measure, with what looks right.
 */
const SELECTIONS: ReadonlySet<string> = new Set([
  `sha256:${ALL}`,
  `sha256:${ALL}+sha384:${ALL}`,
  `sha256:+sha384:${ALL}`,
]);

function checkSelection(quote: Attest, differences: Difference[]): boolean {
  const found = quote.selections.map(({ hash, pcrs }) => `${hash}:${pcrs.join(",")}`).join("+");
  if (SELECTIONS.has(found)) return true;
  const expected = `sha256:${ALL}, or these and the same of sha384 (of sha256 none where the TPM has it switched off)`;
  differences.push({ code: "pcr-selection", what: "PCRs in the quote", expected, found });
  return false;
}

function checkPcrDigest(quote: Attest, evidence: SignedPcrs, differences: Difference[]): void {
  const digest = attempt(differences, "pcr-values", CLAIMED_PCRS, "a value for each quoted PCR", () =>
    pcrDigestOf("sha256", quote.selections, (bank, pcr) => {
      const values = PCR_BANKS.find((each) => each === bank);
      return Buffer.from((values && evidence.pcrs[values]?.get(pcr)) ?? "", "hex");
    }),
  );
  // What is claimed beside it would be judged as if it were signed.
  for (const bank of PCR_BANKS) {
    if (evidence.pcrs[bank] === undefined || selectedPcrs(quote.selections, bank).length > 0) continue;
    differences.push({ code: "pcr-values", what: CLAIMED_PCRS, expected: `none of bank ${bank}`, found: "some" });
  }
  if (digest !== undefined) expectSame(differences, "pcr-values", CLAIMED_PCRS, shown(quote.pcrDigest), shown(digest));
}

const CLAIMED_PCRS = "PCR values (digest of all, signed in the quote)";
