import { AshlarError, messageOf } from "@ashlar/base";
import type {
  MarkedNode,
  NodeMarks,
  NodeClassObject,
  NodeClassStatus,
  NodeProofObject,
  NodeProofStatus,
  OperatedCluster,
} from "@ashlar/kube";
import { classEvents } from "./decide/class-quarantine.ts";
import { eventsOf, marksOf, sameMarks } from "./decide/node-marks.ts";
import type { NodeEntry } from "./node-entry.ts";

/** Somebody else has written, or the API server was away: what is watched shows it soon. */
const SOON_MS = 2000;
const LATER_MS = 60_000;
/** A kubelet that writes over what stands on its Node is written over at most so often. */
const MARK_PAUSE_MS = 60_000;

export type ProofToWrite = {
  readonly name: string;
  readonly node: MarkedNode | undefined;
  /** As it is known, and as it is watched: the first may be newer. */
  readonly proof: NodeProofObject | undefined;
  readonly watchedProof: NodeProofObject | undefined;
  readonly next: NodeProofStatus;
  readonly entry: NodeEntry;
};

/** Everything that the operator writes. */
export class Writer {
  readonly #cluster: OperatedCluster;
  readonly #signal: AbortSignal;
  readonly #onLine: (line: string) => void;

  constructor(cluster: OperatedCluster, signal: AbortSignal, onLine: (line: string) => void) {
    this.#cluster = cluster;
    this.#signal = signal;
    this.#onLine = onLine;
  }

  async proof({ name, node, proof, watchedProof, next, entry }: ProofToWrite): Promise<void> {
    try {
      const before = proof ?? (await this.#cluster.createProof(name, this.#signal));
      entry.wrote(before, watchedProof?.resourceVersion);
      entry.wrote(await this.#cluster.writeProof(before, next, this.#signal), watchedProof?.resourceVersion);
    } catch (error) {
      entry.writeAfterMs = performance.now() + pauseAfter(error);
      if (error instanceof AshlarError && error.code === "conflict") return;
      throw error;
    }
    if (node === undefined) return;
    for (const event of eventsOf(proof?.status ?? {}, next)) {
      this.#onLine(`${name}: ${event.reason}: ${event.note}`);
      await this.#cluster.report({ about: { ...node, kind: "Node" }, ...event }, this.#signal);
    }
  }

  /** What a Node has to show that it does not, unless that was written just now. */
  missingMarks(node: MarkedNode, status: NodeProofStatus, entry: NodeEntry): NodeMarks | undefined {
    const wanted = marksOf(status);
    if (wanted === undefined || sameMarks(wanted, node.marks)) return undefined;
    return entry.isMarked(node, wanted, performance.now()) ? undefined : wanted;
  }

  async mark(node: MarkedNode, marks: NodeMarks, entry: NodeEntry): Promise<void> {
    entry.mark(node, marks, performance.now() + MARK_PAUSE_MS);
    try {
      await this.#cluster.mark(node, marks, this.#signal);
    } catch (error) {
      // It was deleted meanwhile: that is seen soon.
      if (!(error instanceof AshlarError && error.code === "not-found")) throw error;
    }
  }

  async class(object: NodeClassObject, status: NodeClassStatus): Promise<void> {
    try {
      await this.#cluster.writeClass(object, status, this.#signal);
      for (const event of classEvents(object.status, status)) {
        this.#onLine(`NodeClass ${object.name}: ${event.reason}: ${event.note}`);
        await this.#cluster.report({ about: { ...object, kind: "NodeClass" }, ...event }, this.#signal);
      }
    } catch (error) {
      if (this.#signal.aborted || (error instanceof AshlarError && error.code === "conflict")) return;
      this.#onLine(messageOf(error));
    }
  }
}

function pauseAfter(error: unknown): number {
  const isPassing = error instanceof AshlarError && (error.code === "conflict" || error.code === "unavailable");
  return isPassing ? SOON_MS : LATER_MS;
}
