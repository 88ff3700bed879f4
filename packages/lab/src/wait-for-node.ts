import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { isRunning, throwIfInterrupted, type FoundProcess } from "@ashlar/host";
import { agentAnswers, agentBootId } from "./agent-probe.ts";
import type { BootPhase, BootProgress } from "./boot-phase.ts";
import { ConsoleFollower, consoleTail } from "./console-log.ts";
import { nodePaths, type LabPaths } from "./lab-paths.ts";
import type { LabState, NodeState } from "./lab-state.ts";
import { findMachine } from "./machine.ts";
import { machineStatus } from "./qmp.ts";

export type NodeProgress = {
  readonly node: string;
  readonly phase: BootPhase;
  /** Since the wait began, which is when the machine was powered on. */
  readonly seconds: number;
};

export type WaitOptions = {
  /** How long a machine may show no sign of life: a slow one that gets further is waited for. */
  readonly timeoutMs: number;
  /** Called at each change of phase. */
  readonly onProgress?: ((progress: NodeProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** How a wait ends. */
type Goal = {
  /** Whether the agent's answer is the one that is waited for. */
  readonly isReached: (port: number, timeoutMs: number, signal: AbortSignal) => Promise<boolean>;
  /** Why the machine will not get there by itself. */
  readonly findFailure: (progress: BootProgress) => string | undefined;
};

/** Emulated machines share the processors: each one more that boots makes all of them slower. */
export function bootTimeoutMs(lab: LabState, bootingTogether: number): number {
  return BOOT_MINUTES[lab.accelerator] * MINUTE_MS * (lab.accelerator === "kvm" ? 1 : bootingTogether);
}

const MINUTE_MS = 60_000;
const BOOT_MINUTES = { kvm: 2, tcg: 6, "tcg-counted": 30 } as const;
const POLL_MS = 500;
/** The agent is started by its first connection and makes a key then: under emulation that takes its time. */
const PROBE_TIMEOUT_MS = 30_000;
/**
 * QEMU's user network takes a connection before the node's own network is up, and passes it on after 0, 6, 19, 32, ...
 * seconds, when it can. So a new one is begun while others still wait.
 */
const PROBE_INTERVAL_MS = 3000;
/** What a machine prints about its end goes on for a while. */
const SILENCE_MS = 4000;
const MAX_LAST_WORDS_MS = 20_000;
/** A machine that restarts by itself this often will do so for ever. */
const MAX_BOOTS = 3;
const SHOWN_LINES = 30;
/** One that writes for ever must end all the same. */
const MAX_TIMEOUTS = 6;

/**
 * Waits until a machine that has just been powered on answers through its agent.
 *
 * @throws AshlarError `unavailable` when it ends, cannot get further, or takes too long. The message holds the end of its
 * console and names the whole log.
 */
export async function waitForNode(paths: LabPaths, node: NodeState, options: WaitOptions): Promise<void> {
  await waitUntil({ isReached: agentAnswers, findFailure }, paths, node, options);
}

/**
 * Waits until a machine that restarts by itself answers from another boot. Boots in between may fail: that is what more
 * than one release on a disk is for.
 *
 * @throws AshlarError `unavailable` as {@link waitForNode}
 */
export async function waitForBoot(
  paths: LabPaths,
  node: NodeState,
  afterBootId: string,
  options: WaitOptions,
): Promise<void> {
  const isReached: Goal["isReached"] = async (port, timeoutMs, signal) => {
    const bootId = await agentBootId(port, timeoutMs, signal);
    return bootId !== undefined && bootId !== afterBootId;
  };
  await waitUntil({ isReached, findFailure: () => undefined }, paths, node, options);
}

async function waitUntil(goal: Goal, paths: LabPaths, node: NodeState, options: WaitOptions): Promise<void> {
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  const report = (phase: BootPhase): void => options.onProgress?.({ node: node.name, phase, seconds: seconds() });
  const { console: consolePath, monitorSocket } = nodePaths(paths, node.name);
  const log = new ConsoleFollower(consolePath);
  const qemu = await findMachine(paths, node.name);
  let probe: Probe | undefined;
  let phase: BootPhase = "firmware";
  let news = 0;
  let lastNews = 0;
  report(phase);
  try {
    while (true) {
      throwIfInterrupted(options.signal);
      const progress = await log.read();
      if (progress.phase !== phase) report((phase = progress.phase));
      // Before, nothing on the node can answer.
      if (phase === "system") probe ??= startProbing(goal, node.agentPort);
      if (probe?.answered() === true) return report("agent");
      const failure = goal.findFailure(progress) ?? (await findMachineFailure(qemu, monitorSocket));
      if (failure !== undefined) {
        await waitForSilence(consolePath, options.signal);
        throw await nodeFailure(node.name, failure, consolePath);
      }
      if (log.news > news) {
        news = log.news;
        lastNews = seconds();
      }
      const limit = options.timeoutMs / 1000;
      if (seconds() - lastNews > limit || seconds() > limit * MAX_TIMEOUTS) {
        const silence = `its console has had nothing new for ${Math.round(seconds() - lastNews)} s`;
        const what = `its agent has not answered for ${Math.round(seconds())} s (phase: ${phase}); ${silence}`;
        throw await nodeFailure(node.name, what, consolePath);
      }
      await sleep(POLL_MS);
    }
  } finally {
    probe?.stop();
  }
}

type Probe = { readonly answered: () => boolean; readonly stop: () => void };

/** Asks the agent again and again, beside the reading of the console, since one answer may take long. */
function startProbing({ isReached }: Goal, port: number): Probe {
  const stopping = new AbortController();
  const { signal } = stopping;
  let answered = false;
  const ask = async (): Promise<void> => {
    if (await isReached(port, PROBE_TIMEOUT_MS, signal)) answered = true;
  };
  void ask();
  const timer = setInterval(() => void ask(), PROBE_INTERVAL_MS);
  const stop = (): void => {
    clearInterval(timer);
    stopping.abort();
  };
  return { answered: () => answered, stop };
}

function findFailure(progress: BootProgress): string | undefined {
  if (progress.deadEnd !== undefined) return `its boot failed: ${progress.deadEnd}`;
  return progress.boots > MAX_BOOTS ? `it restarted ${progress.boots - 1} times` : undefined;
}

async function findMachineFailure(qemu: FoundProcess | undefined, monitorSocket: string): Promise<string | undefined> {
  if (qemu === undefined || !(await isRunning(qemu))) return "its machine has ended";
  const status = await machineStatus(monitorSocket).catch(() => "running");
  return FAILED_STATES.has(status) ? `its virtual machine is in state ${status}` : undefined;
}

const FAILED_STATES: ReadonlySet<string> = new Set(["internal-error", "guest-panicked", "io-error", "shutdown"]);

async function nodeFailure(name: string, why: string, consolePath: string): Promise<AshlarError> {
  const tail = await consoleTail(consolePath, SHOWN_LINES);
  const shown = tail.length === 0 ? "(its console is empty)" : tail.map((line) => `  | ${line}`).join("\n");
  return new AshlarError("unavailable", `${name} did not come up: ${why}\n${shown}\nits whole console: ${consolePath}`);
}

async function waitForSilence(consolePath: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = performance.now() + MAX_LAST_WORDS_MS;
  let size = -1;
  for (;;) {
    throwIfInterrupted(signal);
    const stats = await stat(consolePath).catch(() => undefined);
    if (stats === undefined || stats.size === size || performance.now() >= deadline) return;
    ({ size } = stats);
    await sleep(SILENCE_MS);
  }
}
