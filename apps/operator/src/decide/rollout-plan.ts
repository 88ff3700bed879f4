import { AshlarError } from "@ashlar/base";
import type { MarkedNode, NodeClassObject, NodeProofObject, RolloutObject } from "@ashlar/kube";
import { previewFleet, type PreviewedWave } from "@ashlar/rollout";
import { fleetNodeOf } from "./fleet-node.ts";
import { policyFault, policyOf } from "./rollout-policy.ts";
import { selectClass } from "./select-class.ts";

/** Who goes when, and what would keep each: nothing of it happens. */
export type RolloutPlan = {
  readonly rollout: string;
  readonly class: string;
  readonly release: string;
  /** How many may be away at once. */
  readonly slots: number;
  /** What keeps everybody now; undefined when nothing is known that does. */
  readonly waitsFor: string | undefined;
  /** What the operator has written about the Rollout as it is: also of gates, and of kubelets. Undefined before it has. */
  readonly operatorSays: string | undefined;
  readonly waves: readonly PreviewedWave[];
  readonly skipped: readonly string[];
};

export type PlanSources = {
  readonly classes: readonly NodeClassObject[];
  readonly nodes: readonly MarkedNode[];
  readonly proofs: readonly NodeProofObject[];
};

/**
 * The order in which the nodes of a Rollout would go if it began now.
 *
 * @throws AshlarError `invalid` when it cannot be carried out, `not-found` without its class
 */
export function planRollout(
  { name, generation, spec, status, fault }: RolloutObject,
  { classes, nodes, proofs }: PlanSources,
  nowMs: number,
): RolloutPlan {
  if (spec === undefined) throw new AshlarError("invalid", `Rollout ${name}: ${fault ?? "it cannot be read"}`);
  const wrong = policyFault(spec);
  if (wrong !== undefined) throw new AshlarError("invalid", `Rollout ${name}: ${wrong}`);
  const found = classes.find((each) => each.name === spec.class);
  if (found?.spec === undefined) {
    throw new AshlarError("not-found", `expected the NodeClass ${spec.class} of the Rollout ${name}, found none`);
  }
  const statuses = new Map(proofs.map((proof) => [proof.name, proof.status]));
  const own = nodes.filter((node) => {
    const selected = selectClass(node, classes);
    return selected.kind === "class" && selected.class.name === spec.class;
  });
  const list = own.map((node) => fleetNodeOf(node, statuses.get(node.name)));
  const { rollout = {} } = found.spec;
  const preview = previewFleet(policyOf(spec, { rollout }), list, { nowMs });
  const isSaid = status?.observedGeneration === generation;
  return {
    rollout: name,
    class: spec.class,
    release: spec.release,
    ...preview,
    operatorSays: isSaid ? status?.message : undefined,
  };
}
