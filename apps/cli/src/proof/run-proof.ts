import { AshlarError } from "@ashlar/base";
import { reportError, reportLine } from "@ashlar/host/terminal";
import type { Cluster, NodeClassObject, NodeProofObject } from "@ashlar/kube";
import { headlineOf, showProofs, type ShownProof } from "@ashlar/views";
import { openCluster } from "../cluster/nodes-of-cluster.ts";
import { withRights } from "../cluster/with-rights.ts";
import { withInterruption } from "../interruption.ts";
import { VERDICT_STATUS } from "../prove/verdict-status.ts";
import type { ProofOptions } from "./output-form.ts";
import { printerOf } from "./print-proofs.ts";
import { gistOf } from "./proof-table.ts";

/** Ages grow while nothing else happens. */
const LOOK_MS = 2000;
const UNKNOWN = 2;

type List<Item> = AsyncDisposable & { readonly items: readonly Item[] };

/** @returns the exit status */
export async function runProof(name: string | undefined, options: ProofOptions): Promise<number> {
  using cluster = await openCluster(options);
  return await withInterruption(async (signal) => {
    await using classes = await classesOf(cluster, signal);
    const onAway = (error: AshlarError): void => reportError(error, "what is shown gets old");
    await using proofs = await withRights(cluster.watchNodeProofs(signal, { name, onAway }));
    if (name !== undefined && proofs.items.length === 0) {
      throw new AshlarError("not-found", `expected a NodeProof ${name}, found none`, {
        hint: "`kubectl get nodeproofs` lists all; docs/guides/operator.md says how a node gets one",
      });
    }
    const printer = printerOf(options);
    const first = await look(proofs, classes);
    printer.begin(first);
    if (options.watch === true) {
      let known = first;
      while (!signal.aborted) {
        await proofs.change(LOOK_MS);
        const next = await look(proofs, classes);
        tellChanges(known, next, printer.more);
        known = next;
      }
      return 0;
    }
    if (first.length === 0)
      reportLine("there are no NodeProofs yet: ashlar operator writes them, for nodes of a NodeClass");
    else reportLine(headlineOf(first).headline);
    return statusOf(first);
  });
}

/** Who may read NodeProofs alone still sees which of them are too old. */
async function classesOf(cluster: Cluster, signal: AbortSignal): Promise<List<NodeClassObject> | undefined> {
  try {
    return await withRights(cluster.watchNodeClasses(signal));
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code !== "privilege") throw error;
    reportError(error, "a proof counts as too old after an hour, whatever its class says");
    return undefined;
  }
}

async function look(
  proofs: List<NodeProofObject>,
  classes: List<NodeClassObject> | undefined,
): Promise<readonly ShownProof[]> {
  const { DEFAULT_FRESHNESS_SECONDS: otherwiseSeconds } = await import("@ashlar/kube");
  const freshnessSeconds = new Map(
    (classes?.items ?? []).flatMap(({ name, spec }) => (spec ? [[name, spec.proof.freshnessSeconds]] : [])),
  );
  return showProofs(proofs.items, { freshnessSeconds, otherwiseSeconds }, Date.now());
}

function tellChanges(
  known: readonly ShownProof[],
  next: readonly ShownProof[],
  tell: (changed: readonly ShownProof[]) => void,
): void {
  const gists = new Map(known.map((proof) => [proof.node.name, gistOf(proof)]));
  tell(next.filter((proof) => gists.get(proof.node.name) !== gistOf(proof)));
  const names = new Set(next.map(({ node }) => node.name));
  const gone = known.filter(({ node }) => !names.has(node.name));
  for (const { node } of gone) reportLine(`the NodeProof ${node.name} was deleted`);
}

/** As that of `ashlar prove`: what nodes boot next counts as well. */
function statusOf(proofs: readonly ShownProof[]): number {
  const all = proofs.flatMap(({ verdict }) => [verdict.level, verdict.nextBoot?.level ?? verdict.level]);
  if (all.includes("mismatch")) return VERDICT_STATUS.mismatch;
  return proofs.length > 0 && all.every((level) => level === "proven") ? VERDICT_STATUS.proven : UNKNOWN;
}
