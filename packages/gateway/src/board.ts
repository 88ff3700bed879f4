import type { NamedVerdict } from "@ashlar/identity";
import {
  FLEET_VIEW_SCHEMA,
  NODE_VIEW_SCHEMA,
  ROLLOUTS_SCHEMA,
  summaryOfNode,
  type FleetView,
  type NodeView,
  type RolloutsView,
  type RolloutView,
  type SourceKind,
} from "@ashlar/views";
import type { EvidenceStore } from "./evidence-in.ts";

export type BoardOptions = {
  readonly kind: SourceKind;
  readonly name: string;
  readonly maxAgeSeconds: number;
  /** Where nodes' evidence is; undefined where there is none at hand. */
  readonly evidence?: EvidenceStore;
};

export type BoardNode = {
  readonly verdict: NamedVerdict;
  /** When its evidence was asked for, milliseconds since 1970; undefined without evidence. */
  readonly provedAtMs: number | undefined;
  readonly className?: string | undefined;
};

/** What is known now. Who proves nodes writes it, and who looks reads it; neither waits for the other. */
export class Board {
  readonly evidence: EvidenceStore | undefined;
  readonly #options: BoardOptions;
  #nodes: ReadonlyMap<string, BoardNode> = new Map();
  #asking = true;
  #problem: string | null = null;
  /** Undefined where there can be none. */
  #rollouts: { readonly problem: string | null; readonly list: readonly RolloutView[] } | undefined;
  #version = 0;

  constructor(options: BoardOptions) {
    this.#options = options;
    this.evidence = options.evidence;
    if (options.kind === "cluster") this.#rollouts = { problem: "they have not been read yet", list: [] };
  }

  /** Changes with everything that is shown. */
  get version(): number {
    return this.#version;
  }

  /** Another round of asking has begun. What was known before stays, and gets older. */
  begin(): void {
    this.#asking = true;
    this.#version += 1;
  }

  put(nodes: readonly BoardNode[]): void {
    this.#nodes = new Map(nodes.map((node) => [node.verdict.name, node]));
    this.#asking = false;
    this.#problem = null;
    this.#version += 1;
  }

  /** A round that has ended without an answer. What was known before stays, and gets older. */
  fail(problem: string): void {
    this.#asking = false;
    this.#problem = problem;
    this.#version += 1;
  }

  /** What is rolled to whom. */
  putRollouts(list: readonly RolloutView[]): void {
    this.#rollouts = { problem: null, list };
    this.#version += 1;
  }

  /** They cannot be read. What was known before stays, and gets older. */
  failRollouts(problem: string): void {
    this.#rollouts = { problem, list: this.#rollouts?.list ?? [] };
    this.#version += 1;
  }

  /** @returns undefined where the source is no cluster */
  rolloutsView(nowMs: number): RolloutsView | undefined {
    if (this.#rollouts === undefined) return undefined;
    const { problem, list } = this.#rollouts;
    return { schema: ROLLOUTS_SCHEMA, at: new Date(nowMs).toISOString(), problem, rollouts: list };
  }

  fleetView(nowMs: number): FleetView {
    const { kind, name } = this.#options;
    const nodes = [...this.#nodes.values()].map(({ verdict, provedAtMs, className }) =>
      summaryOfNode(verdict, { provedAt: timeOf(provedAtMs), className: className ?? null }),
    );
    const head = { ...this.#head(nowMs), source: { kind, name }, asking: this.#asking, problem: this.#problem };
    return { schema: FLEET_VIEW_SCHEMA, ...head, nodes };
  }

  /** @returns undefined for a node that nobody knows */
  async nodeView(name: string, nowMs: number): Promise<NodeView | undefined> {
    const found = this.#nodes.get(name);
    if (found === undefined) return undefined;
    const { name: _, ...verdict } = found.verdict;
    const { measured, files } = (await this.evidence?.read(name)) ?? { measured: null, files: [] };
    const proved = { class: found.className ?? null, provedAt: timeOf(found.provedAtMs) };
    return {
      schema: NODE_VIEW_SCHEMA,
      ...this.#head(nowMs),
      name,
      ...proved,
      verdict,
      measured,
      evidence: [...files].map(([file, { sizeBytes, sha256 }]) => ({ name: file, sizeBytes, sha256 })),
    };
  }

  has(name: string): boolean {
    return this.#nodes.has(name);
  }

  #head(nowMs: number): { readonly at: string; readonly maxAgeSeconds: number } {
    return { at: new Date(nowMs).toISOString(), maxAgeSeconds: this.#options.maxAgeSeconds };
  }
}

function timeOf(atMs: number | undefined): string | null {
  return atMs === undefined ? null : new Date(atMs).toISOString();
}
