import { drawn } from "@ashlar/host/terminal";
import type { ProgressOutput } from "@ashlar/lab";
import type { UpdateProgress } from "@ashlar/protocol";
import type { TurnEvent } from "@ashlar/rollout";

export type ProgressPrinter<Status> = {
  readonly report: (event: TurnEvent<Status>) => void;
  /** Ends the drawing; the last state stays on the screen. */
  readonly close: () => void;
};

/** How a step is told: what goes on, and the bytes that have come; null when it is not about bytes. */
export type Told = { readonly text: string; readonly progress: UpdateProgress | null };
export type Teller<Status> = (event: TurnEvent<Status>) => Told;

const REDRAW_MS = 1000;
/** Elsewhere than on a terminal bytes are told this often. */
const BYTES_EVERY_MS = 10_000;

/**
 * Shows what each node does in its turn. A terminal has one line per node, the last one drawn again every second.
 * Elsewhere every change is a line, and so are the bytes now and then.
 */
export function createProgressPrinter<Status>(output: ProgressOutput, tell: Teller<Status>): ProgressPrinter<Status> {
  return output.isTerminal ? terminalPrinter(output, tell) : linePrinter(output, tell);
}

function linePrinter<Status>({ write, nowMs }: ProgressOutput, tell: Teller<Status>): ProgressPrinter<Status> {
  let last = { what: "", bytes: "", atMs: 0 };
  return {
    report: (event) => {
      const told = tell(event);
      const what = `${event.node}: ${told.text}`;
      const bytes = bytesOf(told);
      if (what === last.what && (bytes === last.bytes || nowMs() - last.atMs < BYTES_EVERY_MS)) return;
      last = { what, bytes, atMs: nowMs() };
      write(drawn`${what}${bytes}\n`);
    },
    close: () => undefined,
  };
}

function terminalPrinter<Status>({ write, nowMs }: ProgressOutput, tell: Teller<Status>): ProgressPrinter<Status> {
  let current:
    | { readonly node: string; readonly text: string; readonly sinceMs: number; readonly ended: boolean }
    | undefined;
  const draw = (): void => {
    if (current === undefined) return;
    const { node, text, sinceMs, ended } = current;
    const seconds = ended ? "" : ` (${Math.round((nowMs() - sinceMs) / 1000)} s)`;
    write(drawn`\r\u001B[K${node}  ${text}${seconds}`);
  };
  const redraw = setInterval(draw, REDRAW_MS);
  return {
    report: (event) => {
      const { node, step } = event;
      if (current !== undefined && current.node !== node) write(drawn`\n`);
      const sinceMs = current?.node === node ? current.sinceMs : nowMs();
      const ended = step.kind === "done" || step.kind === "stop";
      const told = tell(event);
      current = { node, text: told.text + bytesOf(told), sinceMs, ended };
      draw();
    },
    close: () => {
      clearInterval(redraw);
      if (current !== undefined) write(drawn`\n`);
    },
  };
}

function bytesOf({ progress }: Told): string {
  return progress === null ? "" : `: ${formatProgress(progress)}`;
}

/** For example "178.9 MB copied, 3.1 MB fetched, of 197.2 MB": what is fetched comes compressed. */
export function formatProgress({ totalBytes, copiedBytes, fetchedBytes }: UpdateProgress): string {
  return `${formatBytes(copiedBytes)} copied, ${formatBytes(fetchedBytes)} fetched, of ${formatBytes(totalBytes)}`;
}

export function formatBytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
