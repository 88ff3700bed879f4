import { AshlarError } from "@ashlar/base";
import {
  EMPTY_VERDICT,
  unknownNextBoot,
  verifyEvidence,
  verifyNextBoot,
  type DifferenceCode,
  type Expectations,
  type KnownReadings,
  type NextBootVerdict,
  type Verification,
} from "@ashlar/identity";
import type { NextBootAnswer } from "@ashlar/protocol/answers";
import type { ProveOptions } from "./prove-options.ts";
import type { NextBootReply, StoredAnswer } from "./stored/answer.ts";

/** Asks for the next boot. A node of a release that does not know the question leaves it open. */
export async function receiveNextBoot(ask: () => Promise<{ readonly answer: NextBootAnswer }>): Promise<NextBootReply> {
  try {
    const { answer } = await ask();
    return { answer };
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code === "interrupted") throw error;
    if (error.code === "not-found") return { level: "unknown", found: "a release that does not know the question" };
    return { level: error.code === "unavailable" ? "unknown" : "mismatch", found: error.message };
  }
}

/** Judges a live or stored answer. */
export function judgeAnswer(
  { evidence, nonce, tlsPublicKey, challengedAtMs, pin, nextBoot }: StoredAnswer,
  expectations: Expectations,
  nowMs: number,
  { ekRoots, cloudRoots, candidates, maxAgeMs, knownFirmware, vouchedEks }: ProveOptions,
  readings?: KnownReadings,
): Verification {
  const challenge = { nonce, tlsPublicKey };
  const verification = verifyEvidence(evidence, {
    expectations,
    pin,
    challenge,
    ekRoots,
    cloudRoots,
    challengedAtMs,
    nowMs,
    maxAgeMs,
    candidates,
    knownFirmware,
    vouchedEks,
    readings,
  });
  // Without evidence that holds nobody knows who speaks.
  if (verification.tpm === undefined) return verification;
  const releases = [expectations.release, ...(expectations.alsoAllowed ?? []), ...candidates];
  const judged: NextBootVerdict =
    "answer" in nextBoot
      ? verifyNextBoot(nextBoot.answer, { evidence, verification, challenge, releases, readings })
      : unknownNextBoot(nextBoot.level, [{ ...NEXT_BOOT_ANSWER, found: nextBoot.found }]);
  return { ...verification, verdict: { ...verification.verdict, nextBoot: judged } };
}

const NEXT_BOOT_ANSWER = {
  code: "next-boot-answer",
  what: "answer about the next boot",
  expected: "what the node will boot",
} as const;

/** The verdict on a node without any evidence. */
export function unanswered(
  level: "mismatch" | "unknown",
  code: DifferenceCode,
  what: string,
  found: string,
): Verification {
  const expected = code === "declaration" ? "what to judge the node by" : "evidence of what the node runs";
  const differences = [{ code, what, expected, found }];
  const verdict = { level, ...EMPTY_VERDICT, differences };
  return { verdict, tpm: undefined, running: undefined, pinnable: false };
}
