import { AshlarError } from "@ashlar/base";
import { AgentNode, requireEvidence, type Challenge, type NodeAccess } from "@ashlar/rollout";
import { findSharer, proveNode } from "@ashlar/verifier";
import { urlOf } from "./ask-node.ts";
import type { ClassPlan } from "./class-plan.ts";
import type { RunOptions } from "./rollout-options.ts";

/** A node of a rollout: pinned in its NodeProof, behind the address that its Node has now. */
export function operatedNode(
  name: string,
  target: string,
  plan: ClassPlan,
  { node, pins, right }: Pick<RunOptions, "node" | "pins" | "right">,
): NodeAccess {
  const { operatorPem } = plan;
  if (operatorPem === undefined) throw new TypeError("nothing is rolled in a class without an operator's key");
  const place = {
    name,
    get url(): string {
      const found = node(name);
      const url = found && urlOf(found);
      if (url === undefined) throw new AshlarError("unavailable", "its Node has no InternalIP");
      return url;
    },
  };
  const challenge: Challenge = async (version, signal) => {
    const pin = pins().get(name);
    // Who is enrolled is so by the operator's questions: a rollout deals with machines that are known.
    if (pin === undefined) throw new AshlarError("unavailable", "it has not been enrolled");
    const asked = { name, url: place.url, expectations: plan.expectationsFor(name, [version]) };
    const options = { ...plan.options, signal };
    const found = await proveNode(asked, pin, (other, machine) => findSharer(pins(), other, machine), options);
    return requireEvidence({ name, ...found.verification.verdict }, found.peer);
  };
  return new AgentNode(place, { target, allowed: right(name, plan), operatorPem, challenge });
}
