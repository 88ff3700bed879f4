import { isDeepStrictEqual } from "node:util";
import type { ClusterEvent, Condition, NodeMarks, NodeProofStatus } from "@ashlar/kube";
import type { QuarantineReason } from "./quarantine.ts";

/** What labels may be ("Labels and Selectors", syntax). */
const LABEL_VALUE = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/u;

/** What a Node shows to people of its proof. Release and identity stand there only while it is proven. */
export function marksOf({ conditions = [], release, identity }: NodeProofStatus): NodeMarks | undefined {
  const proven = conditions.find(({ type }) => type === "Proven");
  if (proven === undefined) return undefined;
  const { status, reason, message } = proven;
  const isProven = status === "True";
  return {
    condition: { status, reason, message },
    release: isProven && release !== undefined && LABEL_VALUE.test(release) ? release : undefined,
    identity: isProven ? identity : undefined,
  };
}

/** Whether a Node shows just that. */
export function sameMarks(wanted: NodeMarks, found: Partial<NodeMarks>): boolean {
  const { condition, release, identity } = found;
  return isDeepStrictEqual(wanted, { condition, release, identity });
}

/** What is told of a change: who was enrolled, and what is proven or answered now and was not, or the other way round. */
export function eventsOf(before: NodeProofStatus, now: NodeProofStatus): readonly Omit<ClusterEvent, "about">[] {
  const enrolled = before.pin === undefined && now.pin !== undefined;
  return [
    ...(enrolled
      ? [{ isWarning: false, reason: "Enrolled", note: "its TPM and firmware are pinned from now on" }]
      : []),
    ...["Answers", "Proven"].flatMap((type) => changeOf(find(before, type), find(now, type))),
    ...quarantineEvents(find(before, "Quarantined"), find(now, "Quarantined")),
  ];
}

function find({ conditions = [] }: NodeProofStatus, type: string): Condition | undefined {
  return conditions.find((each) => each.type === type);
}

function changeOf(before: Condition | undefined, now: Condition | undefined): readonly Omit<ClusterEvent, "about">[] {
  if (now === undefined || (before?.status === now.status && before.reason === now.reason)) return [];
  const { type, status, reason, message } = now;
  // That a node answers goes without saying, until it did not.
  if (status === "True" && type === "Answers" && before === undefined) return [];
  return [{ isWarning: status !== "True", reason, note: message === "" ? `${type} is ${status}` : message }];
}

/** That a node takes work goes without saying, until it did not. */
function quarantineEvents(
  before: Condition | undefined,
  now: Condition | undefined,
): readonly Omit<ClusterEvent, "about">[] {
  if (now === undefined || before?.reason === now.reason) return [];
  const { reason, message } = now;
  const isAdmitted = reason === ("Admitted" satisfies QuarantineReason);
  return isAdmitted && before === undefined ? [] : [{ isWarning: !isAdmitted, reason, note: message }];
}
