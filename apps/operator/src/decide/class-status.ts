import { isDeepStrictEqual } from "node:util";
import type { NodeClassObject, NodeClassStatus, NodeProofObject } from "@ashlar/kube";
import type { PlanFault } from "./facts.ts";
import { withCondition, withOrWithout, type Said } from "./conditions.ts";

export type ClassFacts = { readonly nodes: number; readonly proven: number };

/** How many nodes a class has, and how many of them are proven. */
export function classFacts(
  className: string,
  held: ReadonlyMap<string, string>,
  proofs: ReadonlyMap<string, Pick<NodeProofObject, "status">>,
): ClassFacts {
  const own = [...held].filter(([, each]) => each === className).map(([name]) => name);
  return { nodes: own.length, proven: own.filter((name) => isProven(proofs.get(name))).length };
}

function isProven(proof: Pick<NodeProofObject, "status"> | undefined): boolean {
  return proof?.status?.conditions?.some(({ type, status }) => type === "Proven" && status === "True") === true;
}

/**
 * What is to be written, the object's own status when that is what stands there.
 *
 * @param quarantine what is said of it; undefined when the class asks for none
 */
export function nextClassStatus(
  { generation, status }: NodeClassObject,
  state: PlanFault | undefined,
  facts: ClassFacts,
  quarantine: Said | undefined,
  { wallMs }: { readonly wallMs: number },
): NodeClassStatus {
  const read = withPlan(status, state, facts, generation, wallMs);
  const conditions = withOrWithout(read.conditions ?? [], "Quarantine", quarantine, wallMs, generation);
  const next = conditions.length === 0 && read.conditions === undefined ? read : { ...read, conditions };
  return isDeepStrictEqual(next, status) ? status : next;
}

function withPlan(
  status: NodeClassStatus,
  state: PlanFault | undefined,
  facts: ClassFacts,
  generation: number,
  wallMs: number,
): NodeClassStatus {
  // What is being read decides soon.
  if (state === undefined || state.kind === "making") return status;
  const said: Said =
    state.kind === "fault"
      ? { status: "False", reason: "NotUsable", message: state.message }
      : { status: "True", reason: "Read", message: "nodes are held against this class" };
  const conditions = withCondition(status.conditions ?? [], "Ready", said, wallMs, generation);
  return { ...status, ...facts, observedGeneration: generation, conditions };
}
