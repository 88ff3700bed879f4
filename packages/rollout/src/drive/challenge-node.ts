import { AshlarError } from "@ashlar/base";
import { expectationsOf, type ExtensionKnowledge, type NamedVerdict, type TpmTrust } from "@ashlar/identity";
import type { KnownRelease } from "@ashlar/protocol/answers";
import { proveNodes, type ProvenPeer } from "@ashlar/verifier";
import type { DeclaredNode } from "@ashlar/verifier/declared";

/** How nodes are judged, whatever is right for them. */
export type Verifier = TpmTrust & {
  readonly pinsPath: string;
  /** At enrolment, ask the URLs in the TPMs' certificates for what leads to a root. */
  readonly fetchIntermediates?: boolean;
  /** Also those that are not right, to name what a node runs instead. */
  readonly candidates: readonly KnownRelease[];
};

/** What is right for a node beside its configs. */
export type Right = {
  readonly release: KnownRelease;
  readonly alsoAllowed?: readonly KnownRelease[];
  readonly extensions: ExtensionKnowledge;
};

export type Challenged = {
  readonly verdict: NamedVerdict;
  /** Whom the evidence is of, when it holds: orders go to nobody else. */
  readonly peer: ProvenPeer | undefined;
};

const MAX_AGE_MS = 600_000;

/** @throws AshlarError `unavailable` when there is no evidence */
export async function challengeNode(
  { name, url, classConfig, nodeConfig, explainSilence }: DeclaredNode,
  right: Right,
  verifier: Verifier,
  signal: AbortSignal,
): Promise<Challenged> {
  const expectations = expectationsOf({ ...right, classConfig, nodeConfig });
  const target = { name, url, expectations, ...(explainSilence === undefined ? {} : { explainSilence }) };
  const { pinsPath, ekRoots, cloudRoots, vouchedEks, fetchIntermediates = false, candidates } = verifier;
  const trust = { ekRoots, cloudRoots, vouchedEks, fetchIntermediates };
  const { fleet, peers } = await proveNodes([target], { ...trust, pinsPath, candidates, maxAgeMs: MAX_AGE_MS, signal });
  const [verdict] = fleet.nodes;
  if (verdict === undefined) throw new TypeError("one node was asked");
  return requireEvidence(verdict, peers.get(name));
}

/** @throws AshlarError `unavailable` when there is none */
export function requireEvidence(verdict: NamedVerdict, peer: ProvenPeer | undefined): Challenged {
  if (verdict.level === "unknown" && peer === undefined) {
    throw new AshlarError("unavailable", firstOf(verdict.differences) ?? "it gave no evidence");
  }
  return { verdict, peer };
}

type Judged = Pick<NamedVerdict, "level" | "differences">;

/** What is wrong with what a node runs; undefined when it is proven. */
export function problemOf({ level, differences }: Judged): string | undefined {
  if (level === "proven") return undefined;
  if (level === "reported") {
    const what = "name the makers with --ek-roots, or the clouds with --cloud-roots";
    return `nobody who is trusted vouches for its TPM: ${what} (found ${differences[0]?.found})`;
  }
  return firstOf(differences) ?? `it is ${level}`;
}

/** What is wrong with what a node boots next; undefined when that is right, or cannot be told. */
export function wrongNextBootOf({ nextBoot }: Pick<NamedVerdict, "nextBoot">): string | undefined {
  if (nextBoot?.level !== "mismatch") return undefined;
  return `next boot, ${firstOf(nextBoot.differences) ?? "which is a mismatch"}`;
}

export function firstOf(differences: NamedVerdict["differences"]): string | undefined {
  const [first] = differences;
  return first === undefined ? undefined : `${first.what}: expected ${first.expected}, found ${first.found}`;
}
