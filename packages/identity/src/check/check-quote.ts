import { parseAttest, pcrDigestOf, verifyQuoteSignature, type Attest, type TpmPublic } from "@ashlar/formats";
import { QUOTED_PCRS, qualifyingData } from "@ashlar/protocol";
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

function checkSelection(quote: Attest, differences: Difference[]): boolean {
  const found = quote.selections.map(({ hash, pcrs }) => `${hash}:${pcrs.join(",")}`).join("+");
  return expectSame(differences, "pcr-selection", "PCRs in the quote", `sha256:${QUOTED_PCRS.join(",")}`, found);
}

function checkPcrDigest(quote: Attest, evidence: SignedPcrs, differences: Difference[]): void {
  const digest = attempt(differences, "pcr-values", CLAIMED_PCRS, "a value for each quoted PCR", () =>
    pcrDigestOf("sha256", quote.selections, (_, pcr) => Buffer.from(evidence.pcrs.get(pcr) ?? "", "hex")),
  );
  if (digest !== undefined) expectSame(differences, "pcr-values", CLAIMED_PCRS, shown(quote.pcrDigest), shown(digest));
}

const CLAIMED_PCRS = "PCR values (digest of all, signed in the quote)";
