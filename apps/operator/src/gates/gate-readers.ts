import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@ashlar/base";
import type { RolloutGate, RolloutObject } from "@ashlar/kube";
import type { GateQuestion, GateReading, GateReadings } from "@ashlar/rollout";
import { closed, judgeDuration, type GateVerdict } from "../decide/gate-answers.ts";
import { readGate, type GateContext } from "./read-gate.ts";

export type GateReadersOptions = Pick<GateContext, "cluster" | "secret"> & {
  readonly signal: AbortSignal;
  /** Something has changed. */
  readonly wake: () => void;
};

type Reader = { readonly key: string; readonly ending: AbortController };

const PAUSE_MS = 10_000;
/** While only numbers change, they are not said more often: each time is a write. */
const NUMBERS_PAUSE_MS = 60_000;

/** Reads the gates of one Rollout, again and again, as long as they have to be. */
export class GateReaders {
  readonly #options: GateReadersOptions;
  readonly #running: Map<string, Reader> = new Map();
  readonly #readings: Map<string, GateReading> = new Map();
  /** As it is now: what is asked says how far it is. */
  #rollout: RolloutObject | undefined;

  constructor(options: GateReadersOptions) {
    this.#options = options;
  }

  get readings(): GateReadings {
    return this.#readings;
  }

  /** Begins what is missing, and ends what need not be read any more. */
  keep(questions: readonly GateQuestion[], rollout: RolloutObject): void {
    this.#rollout = rollout;
    const gates = new Map((rollout.spec?.gates ?? []).map((gate) => [gate.name, gate]));
    const wanted = new Map(questions.map(({ name, point }) => [name, JSON.stringify([point, gates.get(name)])]));
    for (const [name, { key, ending }] of this.#running) {
      if (wanted.get(name) === key) continue;
      ending.abort();
      this.#running.delete(name);
      this.#readings.delete(name);
    }
    for (const { name, point } of questions) {
      const gate = gates.get(name);
      if (gate === undefined || this.#running.has(name)) continue;
      const ending = new AbortController();
      this.#running.set(name, { key: wanted.get(name) ?? "", ending });
      void this.#run(gate, point, AbortSignal.any([this.#options.signal, ending.signal]));
    }
  }

  stop(): void {
    for (const { ending } of this.#running.values()) ending.abort();
    this.#running.clear();
    this.#readings.clear();
  }

  async #run(gate: RolloutGate, point: string, signal: AbortSignal): Promise<void> {
    const beganMs = performance.now();
    let openSinceMs: number | undefined;
    let isSettled = false;
    while (!signal.aborted) {
      const verdict: GateVerdict = isSettled ? { isOpen: true } : await this.#ask(gate, point, signal);
      const nowMs = performance.now();
      openSinceMs = verdict.isOpen ? (openSinceMs ?? nowMs) : undefined;
      // A Job that has succeeded has: it may be cleaned away.
      isSettled ||= verdict.isOpen && gate.job !== undefined;
      if (signal.aborted) return;
      this.#say(gate.name, point, judged(gate, verdict, { beganMs, openSinceMs: openSinceMs ?? nowMs, nowMs }));
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #ask(gate: RolloutGate, point: string, signal: AbortSignal): Promise<GateVerdict> {
    const { cluster, secret } = this.#options;
    try {
      if (this.#rollout === undefined) return closed("it has not been read yet");
      return await readGate(gate, { cluster, secret, rollout: this.#rollout, point }, signal);
    } catch (error) {
      return closed(messageOf(error));
    }
  }

  readonly #saidMs: Map<string, number> = new Map();

  #say(name: string, point: string, verdict: GateVerdict): void {
    const before = this.#readings.get(name);
    const reading = { point, isOpen: verdict.isOpen, message: verdict.isOpen ? "" : verdict.message };
    const isSame = before?.point === point && before.isOpen === reading.isOpen;
    const nowMs = performance.now();
    const isSoon = nowMs - (this.#saidMs.get(name) ?? 0) < NUMBERS_PAUSE_MS;
    if (isSame && wordsOf(before.message) === wordsOf(reading.message) && isSoon) return;
    this.#readings.set(name, reading);
    this.#saidMs.set(name, nowMs);
    this.#options.wake();
  }
}

function wordsOf(text: string): string {
  return text.replaceAll(/[0-9.]+/gu, "0");
}

type Times = { readonly beganMs: number; readonly openSinceMs: number; readonly nowMs: number };

function judged({ prometheus, job }: RolloutGate, verdict: GateVerdict, times: Times): GateVerdict {
  const { beganMs, openSinceMs, nowMs } = times;
  if (prometheus !== undefined) return judgeDuration(verdict, openSinceMs, prometheus.forSeconds, nowMs);
  if (verdict.isOpen || job === undefined || nowMs - beganMs < job.timeoutSeconds * 1000) return verdict;
  return closed(`${verdict.message}; it has had ${job.timeoutSeconds} s to succeed: raise the attempt to run another`);
}
