import { AshlarError } from "@ashlar/base";
import {
  judgeFleet,
  refusePinned,
  type Difference,
  type Expectations,
  type FleetMember,
  type Verification,
  type KnownExtension,
  type RightExtension,
} from "@ashlar/identity";
import type { KnownRelease } from "@ashlar/protocol/answers";
import type { Pin } from "./pin-store.ts";
import { endsTheCommand, failureText } from "./failed-node.ts";
import { judgeAnswer, unanswered } from "./judge-answer.ts";
import { findSharer } from "./shared-tpm.ts";
import type { FleetProof } from "./prove-nodes.ts";
import type { ProveOptions } from "./prove-options.ts";
import type { StoredAnswer } from "./stored/answer.ts";
import { readStoredAnswer } from "./stored/read-answer.ts";

export type ProveStoredOptions = ProveOptions & {
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
  /** When it is judged: milliseconds since 1970. Default: now. */
  readonly nowMs?: number;
  /** Nodes whose answers are there although the directory does not name them among its own. */
  readonly strangers?: readonly string[];
};

/**
 * Judges the evidence in a directory again, one node after the other, so that memory does not grow with their number.
 * Whoever can write to the directory decides what is in it: it is the verifier's own record.
 */
export async function proveStored(
  directory: string,
  names: readonly string[],
  options: ProveStoredOptions,
): Promise<Omit<FleetProof, "peers">> {
  const members: FleetMember[] = [];
  const agesMs = new Map<string, number>();
  const { nowMs = Date.now() } = options;
  for (const name of names) {
    const { ageMs, ...member } = await proveStoredNode(directory, name, nowMs, options);
    members.push(member);
    if (ageMs !== undefined) agesMs.set(name, ageMs);
  }
  for (const name of options.strangers ?? []) {
    members.push({
      name,
      ...unanswered(
        "mismatch",
        "stored-evidence",
        "stored evidence",
        "an answer of a node that fleet.json does not name",
      ),
    });
  }
  return { fleet: judgeFleet(members), agesMs };
}

async function proveStoredNode(
  directory: string,
  name: string,
  nowMs: number,
  options: ProveStoredOptions,
): Promise<FleetMember & { readonly ageMs?: number }> {
  try {
    const found = await readStoredAnswer(directory, name);
    if (found === undefined)
      return { name, ...unanswered("unknown", "stored-evidence", "stored evidence", `none in ${directory}`) };
    const { answer, contradictions } = found;
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
    const judged = judgeAnswer({ ...answer, pin }, expectations, nowMs, options);
    const machineId = judged.tpm?.machineId;
    const machine = machineId === undefined ? pin : { ...pin, machineId };
    const other = options.pins === undefined ? undefined : findSharer(options.pins, name, machine);
    const verification = other === undefined ? judged : refusePinned(judged, other);
    return { name, ...withContradictions(verification, contradictions), ageMs: nowMs - answer.challengedAtMs };
  } catch (error) {
    if (endsTheCommand(error)) throw error;
    // A disk that fails says nothing about the node.
    const level = error instanceof AshlarError && error.code === "failed" ? "unknown" : "mismatch";
    return { name, ...unanswered(level, "stored-evidence", "stored evidence", failureText(error)) };
  }
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
  { release, releaseInstead, candidates }: ProveStoredOptions,
): Pick<Expectations, "release" | "alsoAllowed"> {
  if (releaseInstead !== undefined) return { release: releaseInstead };
  const [first, ...also] = expected.releases.map((ukiSha256) => {
    const found = [release, ...candidates].find(({ uki }) => uki.sha256 === ukiSha256);
    if (found !== undefined) return found;
    throw new AshlarError("not-found", `expected the release with UKI ${ukiSha256} among those that are known`);
  });
  return first === undefined ? { release } : { release: first, alsoAllowed: also };
}
