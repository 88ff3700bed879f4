import { membersOf } from "@ashlar/base";
import { z } from "zod";
import { readObject } from "./read-object.ts";

/** On Nodes that are not proven, where their class asks for it. No kubelet can take it back (NodeRestriction). */
export const TAINT = "ashlar.dev/unproven";

export type TaintEffect = "NoSchedule" | "NoExecute";

/** One of ours; of one that somebody else has put under our key there may be no time. */
export type OwnTaint = { readonly effect: TaintEffect; readonly addedAt: string | undefined };

/** Each object of a Node as it stands there: others' members are not ours to know. */
export type TaintedNode = {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly taints: readonly unknown[];
};

const MAX_TAINTS = 10_000;

const nodeSchema = z.object({
  metadata: z.object({ uid: z.string(), resourceVersion: z.string() }),
  spec: z.object({ taints: z.array(z.unknown()).max(MAX_TAINTS).nullish() }).nullish(),
});

/** @throws AshlarError `malformed` */
export function readTaintedNode(object: unknown): TaintedNode {
  const { metadata, spec } = readObject(nodeSchema, object, "expected a Node");
  return { ...metadata, taints: spec?.taints ?? [] };
}

export function ownTaintsOf(taints: readonly unknown[]): readonly OwnTaint[] {
  return taints.flatMap((taint) => ownTaintOf(taint) ?? []);
}

function ownTaintOf(taint: unknown): OwnTaint | undefined {
  const { key, effect, timeAdded } = membersOf(taint);
  if (key !== TAINT || (effect !== "NoSchedule" && effect !== "NoExecute")) return undefined;
  return { effect, addedAt: typeof timeAdded === "string" ? timeAdded : undefined };
}

/**
 * The taints that a Node is to have: all of others, as and where they are, and of ours those that are meant.
 *
 * @param now for those that are new
 * @returns undefined when it has them
 */
export function withOwnTaints(
  taints: readonly unknown[],
  effects: readonly TaintEffect[],
  now: string,
): readonly unknown[] | undefined {
  const kept = taints.filter((taint) => {
    const own = ownTaintOf(taint);
    return own === undefined || effects.includes(own.effect);
  });
  const has = new Set(ownTaintsOf(taints).map(({ effect }) => effect));
  const added = effects.filter((effect) => !has.has(effect)).map((effect) => ({ key: TAINT, effect, timeAdded: now }));
  return kept.length === taints.length && added.length === 0 ? undefined : [...kept, ...added];
}
