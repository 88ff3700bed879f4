import { AshlarError } from "@ashlar/base";
import type { MarkedNode, NodeClassObject, NodeProofObject, OperatedCluster, TaintEffect } from "@ashlar/kube";
import { classQuarantine, findingOf, isNewNode } from "./decide/class-quarantine.ts";
import type { Said } from "./decide/conditions.ts";
import type { Clock } from "./decide/facts.ts";
import { decideQuarantine, hasJust, type QuarantineDecision, type QuarantineNode } from "./decide/quarantine.ts";
import type { NodeEntry } from "./node-entry.ts";

export type QuarantinesOptions = {
  readonly cluster: OperatedCluster;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
};

export type Known = {
  readonly nodes: ReadonlyMap<string, MarkedNode>;
  readonly proofs: ReadonlyMap<string, NodeProofObject>;
  readonly classes: readonly NodeClassObject[];
  /** The class of each node. */
  readonly held: ReadonlyMap<string, string>;
  readonly entries: ReadonlyMap<string, NodeEntry>;
};

/** What is watched shows soon what was written. Whoever takes a taint away sees it come back so often at most. */
const PAUSE_MS = 1000;
const REFUSED_PAUSE_MS = 30_000;

/** Keeps work from nodes that are not proven, where their classes ask for it. */
export class Quarantines {
  readonly #options: QuarantinesOptions;
  #decisions: ReadonlyMap<string, QuarantineDecision> = new Map();
  #known: Known | undefined;
  /** What the API server does not let this operator do. */
  #refusal: string | undefined;

  constructor(options: QuarantinesOptions) {
    this.#options = options;
  }

  look(known: Known, { wallMs }: Clock): void {
    this.#known = known;
    const { nodes, proofs, classes, held, entries } = known;
    const byName = new Map(classes.map((each) => [each.name, each]));
    const list = [...nodes.values()].flatMap((node): QuarantineNode[] => {
      const { spec, status } = byName.get(held.get(node.name) ?? "") ?? {};
      const entry = entries.get(node.name);
      const watched = proofs.get(node.name);
      const proof = entry === undefined ? watched : entry.proofAsWritten(watched);
      // What cannot be read says nothing, and is no reason to give the node work, or to take it.
      if (spec === undefined || status === undefined || (proof !== undefined && proof.status === undefined)) return [];
      const isCurrent = entry !== undefined && entry.planKey !== "" && entry.planKey === entry.wantedKey;
      const isNew = isNewNode(node, proof?.status, spec.quarantine, status);
      const finding = findingOf(proof?.status, node, isCurrent);
      return [{ name: node.name, policy: spec.quarantine, isNew, finding, taints: node.taints }];
    });
    this.#decisions = decideQuarantine(list, nodes.size, wallMs);
  }

  /** What its NodeProof says of it. */
  said(name: string): QuarantineDecision["said"] {
    const decision = this.#decisions.get(name);
    return decision === undefined ? "keep" : decision.said;
  }

  ofClass({ name, spec }: NodeClassObject): Said | undefined {
    if (spec === undefined || this.#known === undefined) return undefined;
    const { held, nodes } = this.#known;
    const own = [...this.#decisions].flatMap(([node, each]) => (held.get(node) === name ? [each] : []));
    return classQuarantine(spec.quarantine, own, nodes.size, this.#refusal);
  }

  /** The taints of ours that a Node is to have, when it has others. */
  missing({ name, taints }: MarkedNode, { taintAfterMs }: NodeEntry, clock: Clock): readonly TaintEffect[] | undefined {
    const effects = this.#decisions.get(name)?.effects ?? "keep";
    if (effects === "keep" || clock.monotonicMs < taintAfterMs) return undefined;
    return hasJust(taints, effects) ? undefined : effects;
  }

  async taint(node: MarkedNode, effects: readonly TaintEffect[], entry: NodeEntry): Promise<void> {
    const { cluster, signal } = this.#options;
    entry.taintAfterMs = performance.now() + PAUSE_MS;
    try {
      await cluster.taint(node, effects, signal);
      this.#refusal = undefined;
    } catch (error) {
      // It was deleted meanwhile: that is seen soon.
      if (error instanceof AshlarError && error.code === "not-found") return;
      entry.taintAfterMs = performance.now() + REFUSED_PAUSE_MS;
      if (error instanceof AshlarError && error.code === "privilege") this.#refusal = error.message;
      throw error;
    }
  }
}
