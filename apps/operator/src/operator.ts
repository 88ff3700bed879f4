import { AshlarError, messageOf } from "@ashlar/base";
import { levelWithNextBoot } from "@ashlar/identity";
import type { MarkedNode, NodeClassObject, NodeProofObject, OperatedCluster, WatchedCluster } from "@ashlar/kube";
import { askNode } from "./ask-node.ts";
import type { ClassPlan, Sources } from "./class-plan.ts";
import { ClassPlans } from "./class-plans.ts";
import { classFacts, nextClassStatus } from "./decide/class-status.ts";
import { fleetNodeOf } from "./decide/fleet-node.ts";
import { dueInMs } from "./decide/due.ts";
import type { OperatorFacts } from "./decide/metrics.ts";
import type { Clock, Fault } from "./decide/facts.ts";
import { nextProofStatus } from "./decide/proof-status.ts";
import { heldAgainst, type Held } from "./held-against.ts";
import { NodeEntry } from "./node-entry.ts";
import { Pins } from "./pins.ts";
import { Quarantines } from "./quarantines.ts";
import { Rollouts, type FleetMember } from "./rollouts.ts";
import { ServerVersion } from "./server-version.ts";
import { Waker } from "./waker.ts";
import { Writer } from "./writer.ts";

/** More nodes at once would only make each answer older when it is judged. */
const NODES_AT_ONCE = 32;
/** Of them, those that have said nothing the last time: each takes long, and the others need not wait for them. */
const SILENT_AT_ONCE = 16;
/** What ends by its age is seen after this time. */
const MAX_WAIT_MS = 10_000;
/** Counts change with each node: they are written together. */
const CLASS_PAUSE_MS = 5000;

export type OperatorOptions = {
  readonly cluster: OperatedCluster;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
};

type Followed = { readonly change: (withinMs: number) => Promise<void> };

/**
 * Asks nodes and writes what they prove, as long as this process leads. It looks at everything again whenever something
 * has changed: what is to be done follows from what is there, so that a restart changes nothing.
 */
export class Operator {
  readonly #options: OperatorOptions;
  readonly #watched: WatchedCluster;
  readonly #waker = new Waker();
  readonly #plans: ClassPlans;
  readonly #writer: Writer;
  readonly #entries: Map<string, NodeEntry> = new Map();
  readonly #classAfterMs: Map<string, number> = new Map();
  #asking = 0;
  #nodes: ReadonlyMap<string, MarkedNode> = new Map();
  #held: ReadonlyMap<string, string> = new Map();
  #lookedAtMs = performance.now();
  readonly #counters = { asked: { answered: 0, silent: 0 }, askedSeconds: 0 };
  #lastAskedMs: number | undefined;
  readonly #pins = new Pins();
  readonly #rollouts: Rollouts;
  readonly #quarantines: Quarantines;

  constructor(watched: WatchedCluster, options: OperatorOptions) {
    this.#watched = watched;
    this.#options = options;
    const { directory, signal, cluster, onLine } = options;
    this.#plans = new ClassPlans(directory, signal, () => this.#waker.wake());
    this.#writer = new Writer(cluster, signal, onLine);
    this.#quarantines = new Quarantines({ cluster, signal, onLine });
    const wake = (): void => this.#waker.wake();
    const serverVersion = new ServerVersion({ cluster, signal, onLine, wake });
    this.#rollouts = new Rollouts({
      cluster,
      signal,
      onLine,
      wake,
      serverVersion: () => serverVersion.get(),
      node: (name) => this.#nodes.get(name),
      pins: () => this.#pins.all,
      secret: (name) => this.#watched.secrets.items.find((each) => each.name === name),
    });
  }

  /** Until the signal is aborted, or something can no longer be watched. */
  async run(): Promise<void> {
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, ending.signal]);
    const lists: readonly Followed[] = Object.values(this.#watched);
    const following = Promise.allSettled(lists.map(async (list) => await this.#follow(list, ending, signal)));
    while (!signal.aborted) await this.#waker.wait(this.#look(), signal);
    const failed = (await following).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  /** What its metrics say beside what is the same for any process. */
  get facts(): Omit<OperatorFacts, "isLeading" | "usage"> {
    const { proofs, classes, rollouts } = this.#watched;
    return {
      counters: this.#counters,
      lastAskedMs: this.#lastAskedMs,
      nodes: this.#nodes,
      proofs: byName(proofs.items),
      classes: classes.items,
      expires: this.#plans.expires(classes.items),
      rollouts: rollouts.items,
      held: this.#held,
      nowMs: Date.now(),
    };
  }

  /** How long it has looked at nothing. */
  get idleMs(): number {
    return performance.now() - this.#lookedAtMs;
  }

  async #follow(list: Followed, ending: AbortController, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        await list.change(MAX_WAIT_MS);
        this.#waker.wake();
      }
    } finally {
      ending.abort();
    }
  }

  /** Begins all that is to be done now. @returns in how many milliseconds to look again */
  #look(): number {
    const clock: Clock = { wallMs: Date.now(), monotonicMs: performance.now() };
    this.#lookedAtMs = clock.monotonicMs;
    const sources: Sources = {
      secrets: byName(this.#watched.secrets.items),
      configMaps: byName(this.#watched.configMaps.items),
    };
    const classes = this.#watched.classes.items;
    const nodes = byName(this.#watched.nodes.items);
    this.#nodes = nodes;
    this.#rollouts.see(this.#watched.rollouts.items);
    const proofs = byName(this.#watched.proofs.items);
    this.#plans.forgetBut(new Set(classes.map(({ uid }) => uid)));
    const plans = new Map(classes.map((each) => [each.name, this.#plans.of(each, sources)]));
    this.#pins.see(proofs, this.#entries);
    for (const name of this.#entries.keys()) if (!nodes.has(name) && !proofs.has(name)) this.#entries.delete(name);
    let waitMs = MAX_WAIT_MS;
    const members: FleetMember[] = [];
    const names = new Set([...nodes.keys(), ...proofs.keys()]);
    const all = new Map([...names].map((name) => [name, heldAgainst(nodes.get(name), classes, plans)]));
    const held = new Map(
      [...all].flatMap(([name, { className }]) => (className === undefined ? [] : [[name, className]])),
    );
    this.#held = held;
    const known = { nodes, proofs, classes, held, entries: this.#entries };
    this.#quarantines.look(known, clock);
    for (const [name, against] of all) {
      const node = nodes.get(name);
      waitMs = Math.min(waitMs, this.#lookAt(name, node, proofs.get(name), against, clock));
      if (node !== undefined) members.push(this.#memberOf(node, against.className));
    }
    waitMs = Math.min(waitMs, this.#rollouts.look(members, plans));
    for (const each of classes) {
      const facts = classFacts(each.name, held, proofs);
      const quarantine = this.#quarantines.ofClass(each);
      this.#writeClass(each, nextClassStatus(each, plans.get(each.name), facts, quarantine, clock), clock);
    }
    return waitMs;
  }

  #lookAt(
    name: string,
    node: MarkedNode | undefined,
    watchedProof: NodeProofObject | undefined,
    { className, plan, fault }: Held,
    clock: Clock,
  ): number {
    const entry = this.#entries.get(name) ?? new NodeEntry();
    this.#entries.set(name, entry);
    // First of all: what is being asked now is held against what is right now.
    const versions = plan === undefined ? undefined : rightFor(plan, this.#rollouts.alsoRight(name, plan));
    entry.wantedKey = versions === undefined ? "" : `${plan?.key} ${versions.join(" ")}`;
    if (entry.isBusy) return MAX_WAIT_MS;
    entry.status = undefined;
    const proof = entry.proofAsWritten(watchedProof);
    if (proof === undefined && entry.hadProof) entry.forget();
    entry.hadProof = proof !== undefined;
    entry.is(node?.uid);
    const taints = node && this.#quarantines.missing(node, entry, clock);
    if (node !== undefined && taints !== undefined) {
      void this.#busy(entry, async () => await this.#quarantines.taint(node, taints, entry));
      return MAX_WAIT_MS;
    }
    // Nobody has declared what it is: it is none of ours.
    if (className === undefined && proof === undefined) return MAX_WAIT_MS;
    // What is being read decides soon.
    if (fault === undefined && plan === undefined) return MAX_WAIT_MS;
    if (proof?.status === undefined && proof !== undefined) return MAX_WAIT_MS;
    const unreadable = this.#pins.isUnreadable(name) ? PIN_UNREADABLE : undefined;
    const bootId = node?.bootId ?? "";
    const previous = proof?.status ?? {};
    const freshnessMs = plan?.freshnessMs ?? 0;
    const { asked, provenAtMs } = entry;
    const about = { className, bootId, nodeUid: node?.uid, fault: fault ?? unreadable };
    const quarantine = this.#quarantines.said(name);
    const next = nextProofStatus({ previous, ...about, asked, provenAtMs, freshnessMs, quarantine }, clock);
    entry.status = next;
    if (next !== previous || proof === undefined) {
      if (clock.monotonicMs >= entry.writeAfterMs) {
        void this.#busy(entry, async () => await this.#writer.proof({ name, node, proof, watchedProof, next, entry }));
        return MAX_WAIT_MS;
      }
      return Math.min(MAX_WAIT_MS, entry.writeAfterMs - clock.monotonicMs);
    }
    if (node === undefined) return MAX_WAIT_MS;
    const marks = this.#writer.missingMarks(node, next, entry);
    if (marks !== undefined) {
      void this.#busy(entry, async () => await this.#writer.mark(node, marks, entry));
      return MAX_WAIT_MS;
    }
    if (plan === undefined || versions === undefined || unreadable !== undefined) return MAX_WAIT_MS;
    const isChanged = entry.planKey !== entry.wantedKey;
    const { silences } = entry;
    const due = { asked, silences, bootId, className: plan.className, isChanged, intervalMs: plan.intervalMs };
    const waitMs = dueInMs(due, clock);
    if (waitMs > 0) return waitMs;
    if (this.#asking < (silences > 0 ? SILENT_AT_ONCE : NODES_AT_ONCE))
      void this.#busy(entry, async () => await this.#ask(node, plan, versions, entry));
    return MAX_WAIT_MS;
  }

  /** What was proved of it as a rollout sees it. That it is a mismatch counts when it was held against what is right now. */
  #memberOf(node: MarkedNode, className: string | undefined): FleetMember {
    const entry = this.#entries.get(node.name);
    const found = fleetNodeOf(node, entry?.status);
    const isCurrent = found.proof.kind !== "mismatch" || entry?.planKey === entry?.wantedKey;
    const message = "it is being asked again";
    return { className, node: isCurrent ? found : { ...found, proof: { kind: "unknown", message } } };
  }

  async #ask(
    node: MarkedNode,
    plan: ClassPlan,
    versions: readonly [string, ...string[]],
    entry: NodeEntry,
  ): Promise<void> {
    this.#asking += 1;
    const key = entry.wantedKey;
    const startedMs = performance.now();
    this.#lastAskedMs = Date.now();
    try {
      const { bootId } = node;
      const outcome = await askNode(node, plan, versions, () => this.#pins.all, this.#options.signal);
      this.#counters.asked[outcome.kind === "silent" ? "silent" : "answered"] += 1;
      // It was held against what was right then: what it runs may have become right since.
      if (key !== entry.wantedKey || entry.uid !== node.uid) return;
      const monotonicMs = performance.now();
      entry.planKey = key;
      entry.asked = { outcome, bootId, className: plan.className, monotonicMs };
      entry.silences = outcome.kind === "silent" ? entry.silences + 1 : 0;
      if (outcome.kind === "silent") return;
      if (levelWithNextBoot(outcome.verdict) === "proven") entry.provenAtMs = monotonicMs;
      // It stays until its NodeProof shows it: what is watched may lag.
      if (outcome.newPin !== undefined) {
        entry.newPin = outcome.newPin;
        this.#pins.add(node.name, outcome.newPin);
      }
    } finally {
      this.#asking -= 1;
      this.#counters.askedSeconds += (performance.now() - startedMs) / 1000;
    }
  }

  /** One thing at a time for each node. What goes wrong with one is said, and ends nothing else. */
  async #busy(entry: NodeEntry, work: () => Promise<void>): Promise<void> {
    entry.isBusy = true;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof AshlarError && error.code === "interrupted")) this.#options.onLine(messageOf(error));
    } finally {
      entry.isBusy = false;
      this.#waker.wake();
    }
  }

  #writeClass(object: NodeClassObject, next: NodeClassObject["status"], clock: Clock): void {
    if (next === object.status || clock.monotonicMs < (this.#classAfterMs.get(object.uid) ?? 0)) return;
    this.#classAfterMs.set(object.uid, clock.monotonicMs + CLASS_PAUSE_MS);
    void this.#writer.class(object, next);
  }
}

const PIN_UNREADABLE: Fault = {
  reason: "PinUnreadable",
  message: "its pin cannot be read: delete this NodeProof to enrol the node anew",
};

function rightFor({ release }: ClassPlan, others: readonly string[]): readonly [string, ...string[]] {
  return [release, ...others];
}

function byName<Item extends { readonly name: string }>(items: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [item.name, item]));
}
