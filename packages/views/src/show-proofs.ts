import type { Difference, NamedVerdict } from "@ashlar/identity";
import { formatAge, isFresh, levelNow } from "./age.ts";
import { summaryOfNode } from "./documents.ts";
import type { ShownNode } from "./filter-nodes.ts";
import { verdictOfProof, type Proof } from "./verdict-of-proof.ts";

/** A NodeProof as it is worth by now, by the clock of who looks. */
export type ShownProof = ShownNode & {
  readonly verdict: NamedVerdict;
  /** Since it was last proven; undefined when it never was. */
  readonly ageMs: number | undefined;
  readonly maxAgeMs: number;
};

export type ProofAges = {
  /** By name of the NodeClass: `spec.proof.freshnessSeconds`. */
  readonly freshnessSeconds: ReadonlyMap<string, number>;
  /** For nodes whose class is not known, or may not be read. */
  readonly otherwiseSeconds: number;
};

/**
 * NodeProofs by name, each judged again by its age: when nobody writes them any more, they still say what was true then.
 *
 * @param nowMs the reader's own clock, milliseconds since 1970
 */
export function showProofs(proofs: readonly Proof[], ages: ProofAges, nowMs: number): readonly ShownProof[] {
  return proofs
    .map((proof) => showProof(proof, ages, nowMs))
    .toSorted((a, b) => a.node.name.localeCompare(b.node.name, "en", { numeric: true }));
}

function showProof(proof: Proof, { freshnessSeconds, otherwiseSeconds }: ProofAges, nowMs: number): ShownProof {
  const { verdict: written, provedAtMs, className } = verdictOfProof(proof);
  const maxAgeMs = (freshnessSeconds.get(className ?? "") ?? otherwiseSeconds) * 1000;
  const isKnown = provedAtMs !== undefined && !Number.isNaN(provedAtMs);
  const ageMs = isKnown ? nowMs - provedAtMs : undefined;
  const verdict = withAge(written, ageMs, maxAgeMs);
  const provedAt = isKnown ? new Date(provedAtMs).toISOString() : null;
  const node = summaryOfNode(verdict, { provedAt, className: className ?? null });
  return { node, level: verdict.level, verdict, ageMs, maxAgeMs };
}

function withAge(verdict: NamedVerdict, ageMs: number | undefined, maxAgeMs: number): NamedVerdict {
  const { nextBoot, differences } = verdict;
  const level = levelNow(verdict.level, ageMs, maxAgeMs);
  const next = nextBoot && { ...nextBoot, level: levelNow(nextBoot.level, ageMs, maxAgeMs) };
  const isEnded = level !== verdict.level && !isFresh(ageMs, maxAgeMs);
  return {
    ...verdict,
    level,
    nextBoot: next,
    differences: isEnded ? [tooOld(ageMs, maxAgeMs), ...differences] : differences,
  };
}

function tooOld(ageMs: number | undefined, maxAgeMs: number): Difference {
  const found =
    ageMs === undefined
      ? "none"
      : ageMs < 0
        ? `one ${formatAge(-ageMs)} in the future: a clock is wrong`
        : `one ${formatAge(ageMs)} old: does the operator run?`;
  return { code: "evidence-age", what: "last proof", expected: `at most ${formatAge(maxAgeMs)} old`, found };
}
