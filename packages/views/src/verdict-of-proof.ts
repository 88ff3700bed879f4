import type { Difference, DifferenceCode, Level, NamedVerdict, VerdictExtension } from "@ashlar/identity";
import { isKnownCode } from "./chain.ts";

/** As much of a NodeProof's status as people see: what `NodeProofStatus` of `@ashlar/kube` has. */
export type ProofContent = {
  readonly class?: string;
  readonly level?: Level;
  readonly release?: string;
  readonly identity?: string;
  readonly nextBoot?: { readonly level: Level; readonly release?: string };
  readonly extensions?: readonly ProofExtension[];
  readonly differences?: readonly ProofDifference[];
  /** RFC 3339. */
  readonly lastProved?: string;
  readonly conditions?: readonly ProofCondition[];
};

type ProofExtension = {
  readonly kind: string;
  readonly name: string;
  readonly version?: string;
  readonly rootHash: string;
};
type ProofDifference = {
  readonly about: "running" | "next-boot";
  readonly code: string;
  readonly subject?: string;
  readonly what: string;
  readonly expected: string;
  readonly found: string;
};
type ProofCondition = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
};

/** @param status undefined when it is none that this version understands */
export type Proof = { readonly name: string; readonly status: ProofContent | undefined };

export type ProvedNode = {
  readonly verdict: NamedVerdict;
  /** Milliseconds since 1970; undefined when it was never proven. */
  readonly provedAtMs: number | undefined;
  readonly className: string | undefined;
};

const IDENTITY = /^[0-9a-f]{64}$/u;

/** What a NodeProof says, as a verdict. While its condition is Unknown its level says nothing. */
export function verdictOfProof({ name, status }: Proof): ProvedNode {
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
  const verdict: NamedVerdict = {
    name,
    level,
    release: release ?? null,
    identity: identity !== undefined && IDENTITY.test(identity) ? identity : null,
    config: null,
    nodeConfig: null,
    extensions: (status?.extensions ?? []).flatMap(extensionOf),
    nextBoot: next ?? null,
    notes: [],
    differences: [...(why === undefined ? [] : [why]), ...about("running")],
  };
  return { verdict, provedAtMs: lastProved === undefined ? undefined : Date.parse(lastProved), className };
}

function levelOf(status: ProofContent | undefined): { readonly level: Level; readonly why?: Difference } {
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
  const known: DifferenceCode = isKnownCode(code) ? code : "agent-answer";
  return { code: known, ...(subject === undefined ? {} : { subject }), what, expected, found };
}

function extensionOf({ kind, name, version, rootHash }: ProofExtension): VerdictExtension[] {
  if (kind !== "sysext" && kind !== "confext") return [];
  return [{ kind, name, version: version ?? null, rootHash, note: null, until: null }];
}
