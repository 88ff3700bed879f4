import { isDeepStrictEqual } from "node:util";
import {
  levelWithNextBoot,
  type Difference,
  type Level,
  type NodeVerdict,
  type VerdictExtension,
} from "@ashlar/identity";
import {
  MAX_DIFFERENCES,
  MAX_PROVED_EXTENSIONS,
  type NodeProofStatus,
  type ProofDifference,
  type ProvedExtension,
} from "@ashlar/kube";
import { textFor, withCondition, withOrWithout, type Said } from "./conditions.ts";
import type { Asked, Clock, Fault } from "./facts.ts";
import type { QuarantineDecision } from "./quarantine.ts";
import { reasonOf, type Reason } from "./reasons.ts";

/** Everything that a NodeProof's status follows from. */
export type ProofFacts = {
  readonly previous: NodeProofStatus;
  readonly className: string | undefined;
  readonly fault: Fault | undefined;
  /** Since this process leads. */
  readonly asked: Asked | undefined;
  /** When it was last found to be proven since then, by the clock that never jumps. */
  readonly provenAtMs: number | undefined;
  readonly bootId: string;
  readonly nodeUid: string | undefined;
  readonly freshnessMs: number;
  readonly quarantine: QuarantineDecision["said"];
};

const MIN_WRITE_MS = 60_000;

/** What is to be written, `previous` itself when that is what stands there. */
export function nextProofStatus(facts: ProofFacts, clock: Clock): NodeProofStatus {
  const { previous, fault, asked, className, quarantine } = facts;
  const base = { ...previous, ...(className === undefined ? {} : { class: className }) };
  const found = fault === undefined ? withAnswer(base, asked, facts, clock) : withFault(base, fault, clock);
  const { conditions: before = [], ...rest } = found;
  const conditions = withOrWithout(before, "Quarantined", quarantine, clock.wallMs);
  const next = { ...rest, ...(conditions.length === 0 ? {} : { conditions }) };
  return isDeepStrictEqual(next, previous) ? previous : next;
}

function withFault(base: NodeProofStatus, fault: Fault, { wallMs }: Clock): NodeProofStatus {
  const said = { status: "Unknown", ...fault } as const;
  return { ...base, conditions: withCondition(base.conditions ?? [], "Proven", said, wallMs) };
}

function withAnswer(base: NodeProofStatus, asked: Asked | undefined, facts: ProofFacts, clock: Clock): NodeProofStatus {
  if (asked?.outcome.kind === "judged" && asked.bootId === facts.bootId) {
    const judged = withVerdict(base, asked.outcome.verdict, asked, facts, clock);
    const pin = base.pin ?? asked.outcome.newPin;
    return withAge(withTime({ ...judged, ...(pin === undefined ? {} : { pin }) }, facts, clock), facts, clock);
  }
  const silent = asked?.outcome.kind === "silent" ? withSilence(base, asked.outcome.why, clock) : base;
  return withAge(withTime(silent, facts, clock), facts, clock);
}

function withVerdict(
  base: NodeProofStatus,
  verdict: NodeVerdict,
  asked: Asked,
  { nodeUid }: ProofFacts,
  { wallMs }: Clock,
): NodeProofStatus {
  const { release, identity, nextBoot, extensions, level } = verdict;
  const { release: _, identity: __, nextBoot: ___, ...kept } = base;
  const answers = { status: "True", reason: "Answered", message: "its agent answers" } as const;
  const list = withCondition(base.conditions ?? [], "Answers", answers, wallMs);
  return {
    ...kept,
    level,
    ...(release === null ? {} : { release }),
    ...(identity === null ? {} : { identity }),
    ...(nextBoot === null
      ? {}
      : { nextBoot: { level: nextBoot.level, ...(nextBoot.release === null ? {} : { release: nextBoot.release }) } }),
    extensions: extensions.slice(0, MAX_PROVED_EXTENSIONS).map(extensionOf),
    differences: differencesOf(verdict),
    bootId: asked.bootId,
    ...(nodeUid !== undefined && levelWithNextBoot(verdict) === "proven" ? { nodeUid } : {}),
    conditions: withCondition(list, "Proven", provenBy(verdict), wallMs),
  };
}

function extensionOf({ kind, name, version, rootHash }: VerdictExtension): ProvedExtension {
  const extension = { kind, name, rootHash };
  return version === null ? extension : { ...extension, version };
}

function differencesOf({ differences, nextBoot }: NodeVerdict): readonly ProofDifference[] {
  const all = [
    ...differences.map((each) => differenceOf("running", each)),
    ...(nextBoot?.differences ?? []).map((each) => differenceOf("next-boot", each)),
  ];
  return all.slice(0, MAX_DIFFERENCES);
}

function differenceOf(about: ProofDifference["about"], difference: Difference): ProofDifference {
  const { code, subject, what, expected, found } = difference;
  const texts = { what: textFor(what), expected: textFor(expected), found: textFor(found) };
  return { about, code, ...(subject === undefined ? {} : { subject: textFor(subject) }), ...texts };
}

const STATUS: Readonly<Record<Level, Said["status"]>> = {
  proven: "True",
  reported: "False",
  mismatch: "False",
  unknown: "Unknown",
};

/** What it runs decides, and what it boots next when that is something else. */
function provenBy(verdict: NodeVerdict): Said {
  const status = STATUS[levelWithNextBoot(verdict)];
  if (status === "True") return { status, reason: "Proven", message: `runs ${verdict.release ?? "what was declared"}` };
  const { differences, nextBoot } = verdict;
  const first = differences[0] ?? nextBoot?.differences[0];
  if (first === undefined) return { status, reason: reasonOf(verdict.level), message: "" };
  const { code, what, expected, found } = first;
  const next = first === differences[0] ? "" : "next boot, ";
  return { status, reason: reasonOf(code), message: `${next}${what}: expected ${expected}, found ${found}` };
}

/** The first reason stays: texts of errors differ each time, and would be written each time. */
function withSilence(base: NodeProofStatus, why: string, { wallMs }: Clock): NodeProofStatus {
  const before = base.conditions?.find(({ type }) => type === "Answers");
  if (before?.status === "False") return base;
  const said = { status: "False", reason: "AgentSilent", message: why } as const;
  return { ...base, conditions: withCondition(base.conditions ?? [], "Answers", said, wallMs) };
}

/** The time of the last proof, when there is a reason to write it. */
function withTime(
  status: NodeProofStatus,
  { provenAtMs, previous, freshnessMs }: ProofFacts,
  clock: Clock,
): NodeProofStatus {
  if (provenAtMs === undefined) return status;
  const provenMs = clock.wallMs - (clock.monotonicMs - provenAtMs);
  const writtenMs = Date.parse(previous.lastProved ?? "");
  const isDue = Number.isNaN(writtenMs) || provenMs - writtenMs >= Math.max(MIN_WRITE_MS, freshnessMs / 2);
  return isDue || writtenMs > clock.wallMs ? { ...status, lastProved: new Date(provenMs).toISOString() } : status;
}

/**
 * A proof ends by its own age, and when the machine has restarted since. What was found to be wrong does not: a node cannot
 * make itself better by saying nothing.
 */
function withAge(status: NodeProofStatus, facts: ProofFacts, { wallMs, monotonicMs }: Clock): NodeProofStatus {
  const list = status.conditions ?? [];
  const proven = list.find(({ type }) => type === "Proven");
  if (proven?.status === "False") return status;
  const say = (reason: Reason, message: string): NodeProofStatus => ({
    ...status,
    conditions: withCondition(list, "Proven", { status: "Unknown", reason, message }, wallMs),
  });
  const writtenMs = Date.parse(status.lastProved ?? "");
  if (proven === undefined || Number.isNaN(writtenMs)) {
    return facts.asked === undefined ? status : say("NeverProven", "it has not been proven yet");
  }
  const ageMs = facts.provenAtMs === undefined ? wallMs - writtenMs : monotonicMs - facts.provenAtMs;
  if (ageMs > facts.freshnessMs || ageMs < 0) {
    return say("ProofTooOld", `it was last proven at ${status.lastProved}`);
  }
  if (status.bootId !== facts.bootId)
    return say("Restarted", "its Node has another bootID than when it was last proven");
  return status;
}
