import { isIP, isIPv6 } from "node:net";
import { AshlarError, messageOf } from "@ashlar/base";
import { refusePinned } from "@ashlar/identity";
import type { MarkedNode } from "@ashlar/kube";
import { findSharer, proveNode, type Pin, type ProvedNode } from "@ashlar/verifier";
import type { ClassPlan } from "./class-plan.ts";
import type { Outcome } from "./decide/facts.ts";

const AGENT_PORT = 7443;

/** Where a node's agent is, as the Node says it; who answers there has to prove that it is the node. */
export function urlOf({ internalAddress = "" }: MarkedNode): string | undefined {
  if (isIP(internalAddress) === 0) return undefined;
  return `https://${isIPv6(internalAddress) ? `[${internalAddress}]` : internalAddress}:${AGENT_PORT}`;
}

/**
 * Challenges one node. Whatever it answers is its own outcome.
 *
 * @param versions of the releases that are right for it
 * @param pins of all nodes, as they are when this ends: a machine has one name
 * @throws AshlarError `interrupted`
 */
export async function askNode(
  node: MarkedNode,
  plan: ClassPlan,
  versions: readonly [string, ...string[]],
  pins: () => ReadonlyMap<string, Pin>,
  signal: AbortSignal,
): Promise<Outcome> {
  const { name } = node;
  const url = urlOf(node);
  if (url === undefined) return { kind: "silent", why: "its Node has no InternalIP" };
  try {
    const target = { name, url, expectations: plan.expectationsFor(name, versions) };
    const known = pins().get(name);
    const found = await proveNode(target, known, (other, machine) => findSharer(pins(), other, machine), {
      ...plan.options,
      signal,
    });
    return outcomeOf(found, pins());
  } catch (error) {
    if (signal.aborted) throw new AshlarError("interrupted", "interrupted", { cause: error });
    return { kind: "silent", why: messageOf(error) };
  }
}

function outcomeOf({ name, verification, newPin }: ProvedNode, pins: ReadonlyMap<string, Pin>): Outcome {
  const other = newPin === undefined ? undefined : findSharer(pins, name, newPin);
  const { verdict } = other === undefined ? verification : refusePinned(verification, other);
  if (verdict.level === "unknown") {
    const [first] = verdict.differences;
    return { kind: "silent", why: first === undefined ? "it has not answered" : first.found };
  }
  return { kind: "judged", verdict, newPin: other === undefined ? newPin : undefined };
}
