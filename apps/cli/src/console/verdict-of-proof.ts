import { SHA256_HEX } from "@ashlar/base";
import type { BoardNode } from "@ashlar/gateway";
import { DIFFERENCE_CODES, EMPTY_VERDICT, type Difference, type DifferenceCode, type Level } from "@ashlar/identity";
import type { NodeProofObject, NodeProofStatus, ProofDifference } from "@ashlar/kube";

/** What a NodeProof says, as a verdict. While its condition is Unknown its level says nothing. */
export function verdictOfProof({ name, status }: Pick<NodeProofObject, "name" | "status">): BoardNode {
  const { class: className, release, identity, nextBoot, differences = [], lastProved } = status ?? {};
  const about = (which: ProofDifference["about"]): Difference[] =>
    differences.filter((each) => each.about === which).map(differenceOf);
  const { level, why } = levelOf(status);
  const next = nextBoot && {
    release: nextBoot.release ?? null,
    level: level === "unknown" ? level : nextBoot.level,
    differences: about("next-boot"),
    fallback: null,
    notes: [],
  };
  const verdict = {
    ...EMPTY_VERDICT,
    name,
    level,
    release: release ?? null,
    identity: identity !== undefined && SHA256_HEX.test(identity) ? identity : null,
    extensions: (status?.extensions ?? []).flatMap(extensionOf),
    nextBoot: next ?? null,
    differences: [...(why === undefined ? [] : [why]), ...about("running")],
  };
  return { verdict, provedAtMs: lastProved === undefined ? undefined : Date.parse(lastProved), className };
}

function levelOf(status: NodeProofStatus | undefined): { readonly level: Level; readonly why?: Difference } {
  const condition = status?.conditions?.find(({ type }) => type === "Proven");
  if (condition !== undefined && condition.status !== "Unknown" && status?.level !== undefined)
    return { level: status.level };
  const found =
    status === undefined
      ? "one that this version does not understand"
      : condition === undefined
        ? "none yet"
        : `${condition.reason}: ${condition.message}`;
  return {
    level: "unknown",
    why: { code: "agent-answer", what: "NodeProof", expected: "a proof that holds now", found },
  };
}

function differenceOf({ code, subject, what, expected, found }: ProofDifference): Difference {
  // A code of a newer operator counts as that of an answer that nobody understands.
  const known = isKnown(code) ? code : "agent-answer";
  return { code: known, ...(subject === undefined ? {} : { subject }), what, expected, found };
}

type Proved = NonNullable<NodeProofStatus["extensions"]>[number];

function extensionOf({ kind, name, version, rootHash }: Proved): BoardNode["verdict"]["extensions"][number][] {
  if (kind !== "sysext" && kind !== "confext") return [];
  return [{ kind, name, version: version ?? null, rootHash, note: null, until: null }];
}

function isKnown(code: string): code is DifferenceCode {
  return Object.hasOwn(DIFFERENCE_CODES, code);
}
