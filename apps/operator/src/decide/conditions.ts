import { printable } from "@ashlar/base";
import { MAX_TEXT_CHARACTERS, type Condition } from "@ashlar/kube";
import type { Reason } from "./reasons.ts";

export type Said = Pick<Condition, "status" | "message"> & { readonly reason: Reason };

/** The list with what is said of one type now. Since when is kept while the status stays. */
export function withCondition(
  list: readonly Condition[],
  type: string,
  said: Said,
  nowMs: number,
  observedGeneration?: number,
): readonly Condition[] {
  const before = list.find((each) => each.type === type);
  const lastTransitionTime = before?.status === said.status ? before.lastTransitionTime : new Date(nowMs).toISOString();
  const about = observedGeneration === undefined ? {} : { observedGeneration };
  const now = { type, ...said, message: textFor(said.message), lastTransitionTime, ...about };
  return [...list.filter((each) => each.type !== type), now].toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

/** The list with what is said of one type now: nothing with undefined, and with `keep` what was said before. */
export function withOrWithout(
  list: readonly Condition[],
  type: string,
  said: Said | "keep" | undefined,
  nowMs: number,
  observedGeneration?: number,
): readonly Condition[] {
  if (said === "keep") return list;
  if (said === undefined) return list.filter((each) => each.type !== type);
  return withCondition(list, type, said, nowMs, observedGeneration);
}

/** A text that others have made, as the API server keeps it: else it would be written again and again. */
export function textFor(text: string): string {
  return printable(text).slice(0, MAX_TEXT_CHARACTERS).toWellFormed();
}
