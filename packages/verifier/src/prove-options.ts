import type { KnownFirmware, TpmTrust } from "@ashlar/identity";
import type { StoredAnswer } from "./stored/answer.ts";
import type { KnownRelease } from "@ashlar/protocol/answers";

/** What every judging needs beside the evidence and what was declared. */
export type ProveOptions = TpmTrust & {
  /** Other releases that are known, to name what a node runs instead. */
  readonly candidates: readonly KnownRelease[];
  readonly maxAgeMs: number;
  /** Firmware that nodes may have other than at enrolment. */
  readonly knownFirmware?: readonly KnownFirmware[] | undefined;
  /** Called with each node's answer, as it is judged: with the pin that counts. */
  readonly onAnswer?: (name: string, answer: StoredAnswer) => void;
};
