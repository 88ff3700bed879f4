import { AshlarError, messageOf } from "@ashlar/base";
import { Board, type EvidenceStore } from "@ashlar/gateway";
import { refusePinned, type Level, type Verification } from "@ashlar/identity";
import {
  addPins,
  filesOfAnswer,
  findSharer,
  proveNode,
  readPins,
  type FindOther,
  type NodeTarget,
  type Pin,
  type ProveNodeOptions,
  type StoredAnswer,
} from "@ashlar/verifier";
import { dueAtMs } from "./decide/due.ts";
import { unknownNode, type KnownNode } from "./decide/known-node.ts";
import { metricsText } from "./decide/metric.ts";
import { METRICS, type Counters } from "./decide/metrics.ts";
import { changesOf, nextStaleAtMs, standingOf } from "./decide/standing.ts";
import { processUsage } from "./process-usage.ts";
import type { State } from "./state.ts";
import { retryMs, sendMessage, type Webhook } from "./webhook.ts";

/** More nodes at once would only make each answer older when it is judged. */
const NODES_AT_ONCE = 32;
/** Of them, those that have said nothing the last time: each takes long, and the others need not wait for them. */
const SILENT_AT_ONCE = 16;
/** Files are looked at again after this time, and so is everything else. */
const MAX_WAIT_MS = 60_000;
const MIN_WAIT_MS = 20;
/** Ten thousand nodes are not put on the board again with each answer. */
const SHOW_EVERY_MS = 1000;
/** Messages that could not be delivered are looked at again after this time. */
const MESSAGES_EVERY_MS = 5000;
/** Longer than this without a look, and something is wrong with this process. */
const HEALTHY_MS = 4 * MAX_WAIT_MS;

/** What nodes are declared to be now. */
export type Declared = {
  readonly targets: readonly NodeTarget[];
  readonly options: ProveNodeOptions;
  readonly pinsPath: string;
};

export type WatcherOptions = {
  readonly state: State;
  /** Reads it again. What it throws is told, and what was declared before stays. */
  readonly declare: (signal: AbortSignal) => Promise<Declared>;
  readonly fleet: string;
  readonly intervalMs: number;
  readonly maxAgeMs: number;
  readonly webhooks: readonly Webhook[];
  readonly evidence: EvidenceStore;
  readonly onLine: (line: string) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
};

/** Asks nodes when they are due, keeps what they prove, and tells when a level changes. All that it knows is in its state. */
export class Watcher {
  readonly board: Board;
  readonly #options: WatcherOptions;
  readonly #now: () => number;
  readonly #nodes: Map<string, KnownNode>;
  readonly #busy = new Set<string>();
  readonly #sending = new Set<string>();
  #declared: Declared | undefined;
  #declaredAtMs: number | undefined;
  #readAtMs = 0;
  #pins: Map<string, Pin> = new Map();
  #problem: string | undefined;
  #shownAtMs = 0;
  #lookedAtMs: number | undefined;
  #wake: () => void = () => undefined;
  readonly #counters = {
    asked: { answered: 0, silent: 0 },
    askedSeconds: 0,
    changes: { proven: 0, reported: 0, mismatch: 0, unknown: 0 } satisfies Record<Level, number>,
    webhooks: { delivered: 0, failed: 0 },
  };

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#nodes = new Map(options.state.nodes().map((node) => [node.name, node]));
    const maxAgeSeconds = Math.round(options.maxAgeMs / 1000);
    this.board = new Board({ kind: "fleet", name: options.fleet, maxAgeSeconds, evidence: options.evidence });
    options.state.dropOtherMessages(options.webhooks.map(({ name }) => name));
  }

  /** Until the signal is aborted. @throws what is wrong with the declaration from the start, and AshlarErrors of the state */
  async run(signal: AbortSignal): Promise<void> {
    const wake = (): void => this.#wake();
    signal.addEventListener("abort", wake);
    const work = new Set<Promise<void>>();
    const failed: unknown[] = [];
    const begin = (promise: Promise<void>): void => {
      const tracked = promise
        .catch((error: unknown) => void failed.push(error))
        .finally(() => {
          work.delete(tracked);
          this.#wake();
        });
      work.add(tracked);
    };
    await this.#read(signal);
    while (!signal.aborted && failed.length === 0) {
      if (this.#now() - this.#readAtMs >= MAX_WAIT_MS) await this.#read(signal);
      const waitMs = this.#look(begin, signal);
      await this.#wait(waitMs);
    }
    await Promise.all(work);
    signal.removeEventListener("abort", wake);
    if (failed.length > 0) throw failed[0];
  }

  /** Why this process is of no use now; undefined when it is well. Wrong nodes are not its illness. */
  illness(): string | undefined {
    if (this.#lookedAtMs === undefined) return "starting: the fleet file has not been read yet";
    const sinceMs = this.#now() - this.#lookedAtMs;
    return sinceMs > HEALTHY_MS ? `nodes were looked at ${Math.round(sinceMs / 1000)} s ago` : undefined;
  }

  metrics(): string {
    const nowMs = this.#now();
    const standings = [...this.#nodes.values()].map((node) => standingOf(node, nowMs, this.#options.maxAgeMs));
    const counters: Counters = this.#counters;
    const pendingMessages = this.#options.state.pendingMessages();
    const usage = processUsage();
    const declaredAtMs = this.#declaredAtMs;
    return metricsText(METRICS, { standings, counters, usage, pendingMessages, declaredAtMs, nowMs });
  }

  async #read(signal: AbortSignal): Promise<void> {
    const { declare, state, onLine } = this.#options;
    this.#readAtMs = this.#now();
    try {
      const declared = await declare(signal);
      this.#pins = await readPins(declared.pinsPath);
      const names = new Set(declared.targets.map(({ name }) => name));
      const isSame = names.size === this.#nodes.size && [...names].every((name) => this.#nodes.has(name));
      if (!isSame || this.#declared === undefined) state.setNodes(names);
      for (const name of this.#nodes.keys()) if (!names.has(name)) this.#nodes.delete(name);
      for (const name of names) if (!this.#nodes.has(name)) this.#nodes.set(name, unknownNode(name));
      this.#declared = declared;
      this.#declaredAtMs = this.#now();
      this.#problem = undefined;
    } catch (error) {
      if (signal.aborted) return;
      // What is wrong from the beginning does not become right by waiting.
      if (this.#declared === undefined) throw error;
      const problem = messageOf(error);
      if (problem !== this.#problem) onLine(`what nodes are declared to be could not be read again: ${problem}`);
      this.#problem = problem;
    }
  }

  /** Begins all that is to be done now. @returns in how many milliseconds to look again */
  #look(begin: (work: Promise<void>) => void, signal: AbortSignal): number {
    const { intervalMs, maxAgeMs, webhooks, state } = this.#options;
    const nowMs = this.#now();
    this.#lookedAtMs = nowMs;
    const nodes = [...this.#nodes.values()];
    let nextAtMs = Math.min(nowMs + MAX_WAIT_MS, nextStaleAtMs(nodes, nowMs, maxAgeMs));
    for (const target of this.#declared?.targets ?? []) {
      const node = this.#nodes.get(target.name);
      if (node === undefined || this.#busy.has(node.name)) continue;
      const atMs = dueAtMs(node, nowMs, intervalMs);
      if (atMs > nowMs) nextAtMs = Math.min(nextAtMs, atMs);
      else if (this.#busy.size < (node.silences > 0 ? SILENT_AT_ONCE : NODES_AT_ONCE)) begin(this.#ask(target, signal));
    }
    this.#tell(nodes);
    if (nowMs - this.#shownAtMs >= SHOW_EVERY_MS || nowMs < this.#shownAtMs) this.#show(nowMs);
    else nextAtMs = Math.min(nextAtMs, this.#shownAtMs + SHOW_EVERY_MS);
    if (state.pendingMessages() > 0) nextAtMs = Math.min(nextAtMs, nowMs + MESSAGES_EVERY_MS);
    for (const webhook of webhooks) {
      if (this.#sending.has(webhook.name)) continue;
      const message = state.nextMessage(webhook.name, nowMs);
      if (message !== undefined) begin(this.#send(webhook, message, signal));
    }
    return nextAtMs - nowMs;
  }

  async #ask(target: NodeTarget, signal: AbortSignal): Promise<void> {
    const { name } = target;
    const { state } = this.#options;
    const declared = this.#declared;
    if (declared === undefined) return;
    this.#busy.add(name);
    const askedAtMs = this.#now();
    const started = performance.now();
    try {
      let answer: StoredAnswer | undefined;
      const findOther: FindOther = (own, machine) => findSharer(this.#pins, own, machine);
      const found = await proveNode(target, this.#pins.get(name), findOther, {
        ...declared.options,
        ...target.trust,
        signal,
        onAnswer: (_name, each) => {
          answer = each;
        },
      });
      const verification = await this.#pin(name, found.newPin, found.verification, declared.pinsPath);
      const { verdict } = verification;
      const node = this.#nodes.get(name);
      // It has left the fleet meanwhile.
      if (node === undefined) return;
      if (verdict.level === "unknown" && found.ageMs === undefined) {
        const why = verdict.differences[0]?.found ?? "no answer";
        state.atOnce(() => state.putSilence({ name, askedAtMs, why }));
        this.#nodes.set(name, { ...node, askedAtMs, silences: node.silences + 1, silence: why });
        this.#counters.asked.silent += 1;
      } else {
        const named = { name, ...verdict };
        const evidence = answer === undefined ? undefined : filesOfAnswer(answer);
        const next = { ...node, verdict: named, provedAtMs: askedAtMs, askedAtMs, silences: 0, silence: undefined };
        state.atOnce(() => {
          state.putAnswer({ name, verdict: named, provedAtMs: askedAtMs, evidence });
          this.#nodes.set(name, next);
        });
        this.#counters.asked.answered += 1;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#busy.delete(name);
      this.#counters.askedSeconds += (performance.now() - started) / 1000;
    }
  }

  /** A machine has one name: what was pinned meanwhile for another one counts. */
  async #pin(name: string, newPin: Pin | undefined, verification: Verification, path: string): Promise<Verification> {
    if (newPin === undefined) return verification;
    const other = (await addPins(path, new Map([[name, newPin]]), new Set())).get(name);
    if (other !== undefined) return refusePinned(verification, other);
    this.#pins.set(name, newPin);
    return verification;
  }

  #tell(nodes: readonly KnownNode[]): void {
    const { state, maxAgeMs, webhooks, onLine } = this.#options;
    const changes = changesOf(nodes, this.#now(), maxAgeMs);
    if (changes.length === 0) return;
    state.atOnce(() => state.putChanges(changes, webhooks));
    for (const { node, from, to, difference } of changes) {
      const known = this.#nodes.get(node);
      if (known !== undefined) this.#nodes.set(node, { ...known, toldLevel: to });
      this.#counters.changes[to] += 1;
      const why =
        difference === undefined
          ? ""
          : ` (${difference.what}: expected ${difference.expected}, found ${difference.found})`;
      onLine(`${node}: ${from === undefined ? "" : `${from} -> `}${to}${why}`);
    }
  }

  async #send(
    webhook: Webhook,
    message: NonNullable<ReturnType<State["nextMessage"]>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { state, fleet, onLine } = this.#options;
    this.#sending.add(webhook.name);
    try {
      await sendMessage(webhook, message, `urn:ashlar:fleet:${encodeURIComponent(fleet)}`, signal);
      state.dropMessage(message.id);
      this.#counters.webhooks.delivered += 1;
    } catch (error) {
      if (!(error instanceof AshlarError) || error.code !== "unavailable") throw error;
      if (signal.aborted) return;
      state.delayMessage(message.id, this.#now() + retryMs(message.attempts));
      this.#counters.webhooks.failed += 1;
      if (message.attempts === 0) onLine(`${error.message}; it is tried again`);
    } finally {
      this.#sending.delete(webhook.name);
    }
  }

  #show(nowMs: number): void {
    this.#shownAtMs = nowMs;
    this.board.put([...this.#nodes.values()].map((node) => standingOf(node, nowMs, this.#options.maxAgeMs)));
    if (this.#problem !== undefined) this.board.fail(this.#problem);
  }

  async #wait(forMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, Math.max(MIN_WAIT_MS, Math.min(forMs, MAX_WAIT_MS)));
    await promise;
    clearTimeout(timer);
  }
}
