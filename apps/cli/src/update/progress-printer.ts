import type { ProgressOutput } from "@ashlar/lab";
import type { UpdateProgress, UpdateStatus } from "@ashlar/identity";
import type { TurnEvent } from "./run-turn.ts";
import type { Goal, Step } from "./turn.ts";

export type ProgressPrinter = {
  readonly report: (event: TurnEvent) => void;
  /** Ends the drawing; the last state stays on the screen. */
  readonly close: () => void;
};

type ShownGoal = Pick<Goal, "target" | "order">;

const REDRAW_MS = 1000;
/** Elsewhere than on a terminal bytes are told this often. */
const BYTES_EVERY_MS = 10_000;

/**
 * Shows what each node does in its turn. A terminal has one line per node, the last one drawn again every second.
 * Elsewhere every change is a line, and so are the bytes now and then.
 */
export function createProgressPrinter(output: ProgressOutput, goal: ShownGoal): ProgressPrinter {
  return output.isTerminal ? terminalPrinter(output, goal) : linePrinter(output, goal);
}

function linePrinter({ write, nowMs }: ProgressOutput, goal: ShownGoal): ProgressPrinter {
  let last = { what: "", bytes: "", atMs: 0 };
  return {
    report: ({ node, step, status }) => {
      const what = `${node}: ${describeStep(step, status, goal)}`;
      const bytes = describeBytes(step, status);
      if (what === last.what && (bytes === last.bytes || nowMs() - last.atMs < BYTES_EVERY_MS)) return;
      last = { what, bytes, atMs: nowMs() };
      write(`${what}${bytes}\n`);
    },
    close: () => undefined,
  };
}

function terminalPrinter({ write, nowMs }: ProgressOutput, goal: ShownGoal): ProgressPrinter {
  let current:
    | { readonly node: string; readonly text: string; readonly sinceMs: number; readonly ended: boolean }
    | undefined;
  const draw = (): void => {
    if (current === undefined) return;
    const { node, text, sinceMs, ended } = current;
    const seconds = ended ? "" : ` (${Math.round((nowMs() - sinceMs) / 1000)} s)`;
    write(`\r\u001B[K${node}  ${text}${seconds}`);
  };
  const redraw = setInterval(draw, REDRAW_MS);
  return {
    report: ({ node, step, status }) => {
      if (current !== undefined && current.node !== node) write("\n");
      const sinceMs = current?.node === node ? current.sinceMs : nowMs();
      const ended = step.kind === "done" || step.kind === "stop";
      current = { node, text: describeStep(step, status, goal) + describeBytes(step, status), sinceMs, ended };
      draw();
    },
    close: () => {
      clearInterval(redraw);
      if (current !== undefined) write("\n");
    },
  };
}

function describeStep(step: Step, status: UpdateStatus | undefined, { target, order }: ShownGoal): string {
  if (step.kind === "stop") return `stopped: ${step.reason.message.split("\n")[0]}`;
  if (step.kind === "wait") return describeWait(step.what, status);
  if (step.kind === "done") return step.how === "staged" ? `boots ${target} next: proven` : `runs ${target}: proven`;
  const actions = {
    prove: `proving that it runs ${status?.version}`,
    order: `telling it to ${order === "rollback" ? "go back to" : "stage"} ${target}`,
    "prove-next-boot": `proving that it boots ${target} next`,
    reboot: "restarting it",
  };
  return actions[step.kind];
}

function describeWait(what: Extract<Step, { kind: "wait" }>["what"], status: UpdateStatus | undefined): string {
  const waits = {
    answer: "waiting for an answer",
    restart: "restarting",
    health: `${status?.version} is on trial until it is found healthy`,
    staging: `${status?.phase} ${status?.target ?? ""}`.trimEnd(),
  };
  return waits[what];
}

function describeBytes(step: Step, status: UpdateStatus | undefined): string {
  const isFetching = step.kind === "wait" && step.what === "staging" && status?.phase === "fetching";
  const progress = isFetching ? status.progress : undefined;
  return progress === undefined || progress === null ? "" : `: ${formatProgress(progress)}`;
}

/** For example "178.9 MB copied, 3.1 MB fetched, of 197.2 MB": what is fetched comes compressed. */
export function formatProgress({ totalBytes, copiedBytes, fetchedBytes }: UpdateProgress): string {
  return `${formatBytes(copiedBytes)} copied, ${formatBytes(fetchedBytes)} fetched, of ${formatBytes(totalBytes)}`;
}

export function formatBytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
