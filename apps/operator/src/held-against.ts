import type { MarkedNode, NodeClassObject } from "@ashlar/kube";
import type { ClassPlan } from "./class-plan.ts";
import type { PlanState } from "./class-plans.ts";
import type { Fault } from "./decide/facts.ts";
import { selectClass } from "./decide/select-class.ts";

/** What a node is to be held against now: neither plan nor fault while that is being read. */
export type Held = {
  readonly className: string | undefined;
  readonly plan: ClassPlan | undefined;
  readonly fault: Fault | undefined;
};

export function heldAgainst(
  node: MarkedNode | undefined,
  classes: readonly NodeClassObject[],
  plans: ReadonlyMap<string, PlanState>,
): Held {
  if (node === undefined) return only({ reason: "NodeGone", message: "there is no Node of this name any more" });
  const selected = selectClass(node, classes);
  if (selected.kind === "none") return only({ reason: "NoClass", message: "no NodeClass selects it" });
  if (selected.kind === "fault") return only(selected.fault);
  const { name } = selected.class;
  const state = plans.get(name);
  if (state?.kind === "fault") return only({ reason: "ClassNotReady", message: state.message }, name);
  return { className: name, plan: state?.kind === "ready" ? state.plan : undefined, fault: undefined };
}

function only(fault: Fault, className?: string): Held {
  return { className, plan: undefined, fault };
}
