import { K8s } from "@kinvolk/headlamp-plugin/lib";
import { DEFAULT_FRESHNESS_SECONDS, GROUP, readNodeClass, readNodeProof, VERSION } from "@ashlar/kube/resources";
import { showProofs, type Proof, type ShownProof } from "@ashlar/views";
import { useEffect, useMemo, useState } from "react";

const kind = (name: string, pluralName: string): ReturnType<typeof K8s.crd.makeCustomResourceClass> =>
  K8s.crd.makeCustomResourceClass({
    apiInfo: [{ group: GROUP, version: VERSION }],
    isNamespaced: false,
    singularName: name.toLowerCase(),
    pluralName,
    kind: name,
  });
const NodeProof = kind("NodeProof", "nodeproofs");
const NodeClass = kind("NodeClass", "nodeclasses");

/** As much as is looked at of what Headlamp gives: its package keeps the names of these types to itself. */
type Listed = { readonly jsonData?: unknown };
type Problem = { readonly status?: number | undefined };

/** Levels end by the minute, not by the second. */
const LOOK_EVERY_MS = 5000;

export type Proofs = {
  /** Undefined until there is an answer. */
  readonly proofs: readonly ShownProof[] | undefined;
  readonly problem: "no-kind" | "forbidden" | "away" | undefined;
  readonly areClassesHidden: boolean;
};

/** What is proved of a cluster's nodes, live, and judged again by this browser's clock while nothing comes. */
export function useProofs(): Proofs {
  const [proofs, proofError] = NodeProof.useList();
  const [classes, classError] = NodeClass.useList();
  const nowMs = useNow();
  const read = useMemo(() => proofs?.flatMap(proofOf), [proofs]);
  const freshnessSeconds = useMemo(() => new Map((classes ?? []).flatMap(freshnessOf)), [classes]);
  const ages = { freshnessSeconds, otherwiseSeconds: DEFAULT_FRESHNESS_SECONDS };
  return {
    proofs: read && showProofs(read, ages, nowMs),
    problem: proofError === null ? undefined : problemOf(proofError),
    areClassesHidden: classError !== null,
  };
}

function problemOf({ status }: Problem): "no-kind" | "forbidden" | "away" {
  if (status === 404) return "no-kind";
  return status === 401 || status === 403 ? "forbidden" : "away";
}

export function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

/** Whatever the API server says: what is no object of ours is none. */
function proofOf({ jsonData }: Listed): Proof[] {
  try {
    return [readNodeProof(jsonData)];
  } catch {
    return [];
  }
}

function freshnessOf({ jsonData }: Listed): [string, number][] {
  try {
    const { name, spec } = readNodeClass(jsonData);
    return spec === undefined ? [] : [[name, spec.proof.freshnessSeconds]];
  } catch {
    return [];
  }
}
