import { hash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import {
  firmwareToPin,
  refusePinned,
  type Difference,
  type Expectations,
  type KnownReadings,
  type FleetMember,
  type KnownExtension,
  type PinnedFirmware,
  type RightExtension,
  type Verification,
} from "@ashlar/identity";
import type { KnownRelease } from "@ashlar/protocol/answers";
import { endsTheCommand, failureText } from "../failed-node.ts";
import { judgeAnswer, unanswered } from "../judge-answer.ts";
import type { Pin } from "../pin-store.ts";
import type { ProveOptions } from "../prove-options.ts";
import { findSharer } from "../shared-tpm.ts";
import type { StoredAnswer } from "./answer.ts";
import { digestOfFiles } from "./digest-answer.ts";
import { pathOf, type EvidencePlace } from "./place.ts";
import { readStoredAnswer } from "./read-answer.ts";

/** What each node's stored answer is held against. */
export type JudgeStoredOptions = ProveOptions & {
  /** The release of the directory's own manifest, or the one that was given instead. */
  readonly release: KnownRelease;
  /** Replaces what all nodes were declared to run when the evidence was taken. */
  readonly releaseInstead?: KnownRelease;
  /**
   * Replaces what was declared when the evidence was taken: the class's config alone, since nodes' own ones are not kept,
   * with the extensions that it declares.
   */
  readonly classInstead?: { readonly sha256: string; readonly extensions: readonly RightExtension[] };
  /** The published extensions that are known. */
  readonly extensions: readonly KnownExtension[];
  /** Replaces the pins that were recorded with the evidence. */
  readonly pins?: ReadonlyMap<string, Pin>;
  /** What to tell of each answer beside its verdict. */
  readonly tell?: { readonly digest?: true; readonly firmware?: true; readonly entries?: true };
};

/** What is told of an answer beside its verdict. */
export type SeenAnswer = {
  readonly nonce: Uint8Array;
  readonly challengedAtMs: number;
  /** See `digestOfAnswer`. */
  readonly digest?: string;
  /** In an archive, SHA-256 of all that is stored of it. */
  readonly entries?: string;
  readonly firmware?: Pick<PinnedFirmware, "0" | "2" | "3" | "7">;
};

export type JudgedNode = FleetMember & { readonly ageMs?: number; readonly seen?: SeenAnswer };

/** What judging the nodes that are stored in one place needs to know. */
export type StoredJudging = {
  readonly place: EvidencePlace;
  readonly nowMs: number;
  readonly options: JudgeStoredOptions;
  readonly readings: KnownReadings;
};

/** Judges what is stored of one node. @throws whatever ends the command */
export function judgeStored(name: string, { place, nowMs, options, readings }: StoredJudging): JudgedNode {
  try {
    const found = readStoredAnswer(place, name);
    if (found === undefined)
      return { name, ...unanswered("unknown", "stored-evidence", "stored evidence", `none in ${pathOf(place)}`) };
    const { answer, contradictions, files, entries } = found;
    const pin = options.pins === undefined ? answer.pin : options.pins.get(name);
    if (pin === undefined)
      return { name, ...unanswered("unknown", "no-pin", "enrolment of the node's TPM", "no pin for it") };
    const { classConfigSha256, nodeConfigSha256, extensions } = answer.expected;
    const { classInstead } = options;
    const expectations = {
      ...declaredReleases(answer, options),
      classConfigSha256: classInstead?.sha256 ?? classConfigSha256,
      nodeConfigSha256,
      extensions: {
        ...extensions,
        declared: classInstead?.extensions ?? extensions.declared,
        known: options.extensions,
      },
    };
    options.onAnswer?.(name, { ...answer, pin });
    const judged = judgeAnswer({ ...answer, pin }, expectations, nowMs, options, readings);
    const machineId = judged.tpm?.machineId;
    const machine = machineId === undefined ? pin : { ...pin, machineId };
    const other = options.pins === undefined ? undefined : findSharer(options.pins, name, machine);
    const verification = other === undefined ? judged : refusePinned(judged, other);
    const { verdict, tpm } = withContradictions(verification, contradictions);
    const { nonce, challengedAtMs } = answer;
    const seen = {
      // By itself: as it is, it would keep the memory that it shares with what was read beside it.
      nonce: Uint8Array.from(nonce),
      challengedAtMs,
      ...(options.tell?.digest === true ? { digest: digestOfFiles(files) } : {}),
      ...(options.tell?.entries === true && entries !== undefined ? { entries: hash("sha256", entries) } : {}),
      ...(options.tell?.firmware === true && tpm !== undefined ? { firmware: firmwareOf(answer) } : {}),
    };
    return { name, verdict, tpm, ageMs: nowMs - challengedAtMs, seen };
  } catch (error) {
    if (endsTheCommand(error)) throw error;
    // A disk that fails says nothing about the node.
    const level = error instanceof AshlarError && error.code === "failed" ? "unknown" : "mismatch";
    return { name, ...unanswered(level, "stored-evidence", "stored evidence", failureText(error)) };
  }
}

/** The values that tell one machine's firmware from another's. */
function firmwareOf({ evidence }: StoredAnswer): Pick<PinnedFirmware, "0" | "2" | "3" | "7"> {
  const { 0: code, 2: drivers, 3: settings, 7: secureBoot } = firmwareToPin(evidence);
  return { 0: code, 2: drivers, 3: settings, 7: secureBoot };
}

/** Files that contradict each other prove nothing, whatever each of them says. */
function withContradictions(verification: Verification, contradictions: readonly Difference[]): Verification {
  if (contradictions.length === 0) return verification;
  const { verdict } = verification;
  const differences = [...verdict.differences, ...contradictions];
  return { ...verification, verdict: { ...verdict, level: "mismatch", differences } };
}

/** The declared release, then those that were right as well because it was the node's turn. */
function declaredReleases(
  { expected }: StoredAnswer,
  { release, releaseInstead, candidates }: JudgeStoredOptions,
): Pick<Expectations, "release" | "alsoAllowed"> {
  if (releaseInstead !== undefined) return { release: releaseInstead };
  const [first, ...also] = expected.releases.map((ukiSha256) => {
    const found = [release, ...candidates].find(({ uki }) => uki.sha256 === ukiSha256);
    if (found !== undefined) return found;
    throw new AshlarError("not-found", `expected the release with UKI ${ukiSha256} among those that are known`);
  });
  return first === undefined ? { release } : { release: first, alsoAllowed: also };
}
