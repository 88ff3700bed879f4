import { EMPTY_VERDICT, levelWithNextBoot, type Difference, type Level, type NamedVerdict } from "@ashlar/identity";
import { isFresh } from "@ashlar/views";
import type { KnownNode } from "./known-node.ts";

/** A node as it stands now. */
export type Standing = { readonly verdict: NamedVerdict; readonly provedAtMs: number | undefined };

/**
 * What is known of a node by now. A verdict holds for as long as its evidence is fresh, whatever it is: nobody knows whether what was
 * wrong then still is. So a verifier that was away for longer begins with nodes that are all unknown. A node that has not answered
 * since keeps its verdict until then.
 */
export function standingOf(
  { name, verdict, provedAtMs, askedAtMs, silence }: KnownNode,
  nowMs: number,
  maxAgeMs: number,
): Standing {
  if (verdict === undefined || provedAtMs === undefined) {
    const found = askedAtMs === undefined ? "none yet: it has not been asked" : (silence ?? "no answer");
    return { verdict: unknown({ ...EMPTY_VERDICT, name, level: "unknown", differences: [] }, found), provedAtMs };
  }
  const ageMs = nowMs - provedAtMs;
  if (isFresh(ageMs, maxAgeMs)) return { verdict, provedAtMs };
  const since = silence === undefined ? "" : `, and since then: ${silence}`;
  const age = ageMs < 0 ? "evidence from the future" : `${Math.round(ageMs / 1000)} s`;
  const stale: Difference = {
    code: "evidence-age",
    what: "age of the evidence",
    expected: `at most ${Math.round(maxAgeMs / 1000)} s`,
    found: `${age}${since}`,
  };
  const nextBoot = verdict.nextBoot && { ...verdict.nextBoot, level: "unknown" as const, differences: [] };
  return { verdict: { ...verdict, level: "unknown", nextBoot, differences: [stale] }, provedAtMs };
}

function unknown(verdict: NamedVerdict, found: string): NamedVerdict {
  const difference: Difference = {
    code: "agent-answer",
    what: "answer of the node's agent",
    expected: "evidence of what the node runs",
    found,
  };
  return { ...verdict, differences: [difference] };
}

/** What others are told of: a node that would boot something wrong next is wrong. */
export function toldLevelOf({ verdict }: Standing): Level {
  return levelWithNextBoot(verdict);
}

export type Change = {
  readonly node: string;
  readonly from: Level | undefined;
  readonly to: Level;
  /** What is wrong, or why nothing is known: the first of it. */
  readonly difference: Difference | undefined;
  readonly atMs: number;
};

/** The nodes whose level is another one than others were told last. */
export function changesOf(nodes: readonly KnownNode[], nowMs: number, maxAgeMs: number): readonly Change[] {
  return nodes.flatMap((node): Change[] => {
    // Nothing was known of it, and nothing is.
    if (node.toldLevel === undefined && node.askedAtMs === undefined) return [];
    const standing = standingOf(node, nowMs, maxAgeMs);
    const to = toldLevelOf(standing);
    if (to === node.toldLevel) return [];
    const { differences, nextBoot } = standing.verdict;
    const [difference] = [...differences, ...(nextBoot?.differences ?? [])];
    return [{ node: node.name, from: node.toldLevel, to, difference, atMs: nowMs }];
  });
}

/** When the next verdict gets too old, milliseconds since 1970: then there is something to tell, whoever answers. */
export function nextStaleAtMs(nodes: readonly KnownNode[], nowMs: number, maxAgeMs: number): number {
  let soonest = Number.POSITIVE_INFINITY;
  for (const { provedAtMs } of nodes) {
    if (provedAtMs === undefined) continue;
    const atMs = provedAtMs + maxAgeMs + 1;
    if (atMs > nowMs && atMs < soonest) soonest = atMs;
  }
  return soonest;
}
