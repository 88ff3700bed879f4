import { parseAttest, parsePublic } from "@ashlar/formats";
import { checkBoundQuote, type Challenge } from "./check/check-quote.ts";
import { KnownReadings } from "./check/known-readings.ts";
import { attempt, expectSame, type Difference } from "./check/difference.ts";
import type { Evidence, KnownRelease, NextBootAnswer } from "@ashlar/protocol/answers";
import { judgeNextBoot } from "./judge/judge-next-boot.ts";
import { nextBootQualifyingData } from "@ashlar/protocol";
import type { Level, NextBootVerdict, NodeVerdict } from "./verdict.ts";
import type { Verification } from "./verify-evidence.ts";

export type NextBootInput = {
  /** The evidence that `verification` is about, and the challenge of both answers. */
  readonly evidence: Evidence;
  readonly verification: Verification;
  readonly challenge: Challenge;
  /** The releases that are known. What a node starts next must be one of them. */
  readonly releases: readonly KnownRelease[];
  /** For many nodes: what was read of others. */
  readonly readings?: KnownReadings | undefined;
};

/**
 * Judges a node's answer about its next boot, after its evidence: the same TPM must have bound the report to the same
 * boot and the same question. The report is made by software, which is as good as what the node was proven to run.
 */
export function verifyNextBoot(answer: NextBootAnswer, input: NextBootInput): NextBootVerdict {
  const { releases, verification, readings = new KnownReadings() } = input;
  const differences: Difference[] = [];
  checkOrigin(answer, input, differences);
  const report = attempt(differences, "next-boot-answer", "next-boot report", "a report", () =>
    readings.nextBootReport(answer.reportText),
  );
  if (report === undefined || differences.length > 0) return unknownNextBoot("mismatch", differences);
  const judged = judgeNextBoot(report, { releases, running: verification.running });
  if (judged.level !== "proven") return judged;
  return { ...judged, ...levelOfReporter(verification.verdict) };
}

/** Nothing is known about the next boot, or nothing that holds. */
export function unknownNextBoot(level: "mismatch" | "unknown", differences: readonly Difference[]): NextBootVerdict {
  return { release: null, level, differences, fallback: null, notes: [] };
}

/** The quote, made by the TPM of the evidence, in the same boot, over this report. */
function checkOrigin(
  { reportText, quoteMessage, quoteSignature }: NextBootAnswer,
  { evidence, verification, challenge }: NextBootInput,
  differences: Difference[],
): void {
  if (verification.tpm === undefined) {
    differences.push({
      code: "next-boot-answer",
      what: "next-boot quote",
      expected: "evidence that holds beside it",
      found: "none",
    });
    return;
  }
  const { nonce, tlsPublicKey } = challenge;
  const extraData = nextBootQualifyingData(nonce, tlsPublicKey, reportText);
  const signed = { quoteMessage, quoteSignature, pcrs: evidence.pcrs };
  const quote = checkBoundQuote(parsePublic(evidence.ak), signed, extraData, differences);
  if (quote === undefined) return;
  const boot = ({ resetCount, restartCount }: typeof quote): string => `${resetCount}, ${restartCount}`;
  expectSame(
    differences,
    "boot-count",
    "TPM's reset and restart count",
    boot(parseAttest(evidence.quoteMessage)),
    boot(quote),
  );
}

function levelOfReporter({ level, differences }: NodeVerdict): Pick<NextBootVerdict, "level" | "differences"> {
  if (level === "proven") return { level, differences: [] };
  if (level !== "mismatch") return { level, differences };
  const difference: Difference = {
    code: "reporter",
    what: "reporter",
    expected: "a node that runs what was declared",
    found: "another one",
  };
  return { level: "reported", differences: [difference] };
}

/**
 * For who decides on both at once: a node that would boot something wrong next is not what was declared, whatever it runs.
 * A next boot of which less than that is known changes nothing here.
 */
export function levelWithNextBoot({ level, nextBoot }: Pick<NodeVerdict, "level" | "nextBoot">): Level {
  return nextBoot?.level === "mismatch" ? "mismatch" : level;
}
