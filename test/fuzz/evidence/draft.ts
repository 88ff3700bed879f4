import type { Challenge } from "@ashlar/identity";
import type { Evidence, KnownRelease, NextBootAnswer } from "@ashlar/protocol/answers";
import type { Random } from "../random.ts";
import type { HonestNode } from "./honest-fleet.ts";
import { encodeFirmwareLog, encodeUserspaceLog, type FirmwareRecord } from "./log-records.ts";

/** One node's evidence while a case changes it. */
export type Draft = {
  readonly self: HonestNode;
  readonly other: HonestNode;
  readonly firmware: FirmwareRecord[];
  readonly userspace: string[];
  evidence: Evidence;
  nextBoot: NextBootAnswer;
  challenge: Challenge;
  release: KnownRelease;
  candidates: readonly KnownRelease[];
};

/** A way to change it, as an attacker may. */
export type Change = (draft: Draft, random: Random) => void;

export function draftOf(self: HonestNode, other: HonestNode): Draft {
  const { evidence, nextBoot, challenge, expectations, input } = self;
  const { firmware, userspace } = self.logs;
  return {
    self,
    other,
    firmware: [...firmware],
    userspace: [...userspace],
    evidence,
    nextBoot,
    challenge,
    release: expectations.release,
    candidates: input.candidates ?? [],
  };
}

/** The evidence with the draft's records as its logs, unless a change has put other logs into it. */
export function evidenceOf({ self, evidence, firmware, userspace }: Draft): Evidence {
  const isWhole = (member: "firmwareLog" | "userspaceLog"): boolean => evidence[member] !== self.evidence[member];
  return {
    ...evidence,
    firmwareLog: isWhole("firmwareLog") ? evidence.firmwareLog : encodeFirmwareLog(firmware),
    userspaceLog: isWhole("userspaceLog") ? evidence.userspaceLog : encodeUserspaceLog(userspace),
  };
}

export function pick<T>(values: readonly T[], random: Random): T {
  const value = values[random(values.length)];
  if (value === undefined) throw new Error("expected something to pick from");
  return value;
}
