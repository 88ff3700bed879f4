import { draw, drawsOnTerminal } from "@ashlar/host/terminal";
import type { LabProgress } from "@ashlar/lab";
import { withInterruption } from "../interruption.ts";

type OnProgress = (progress: LabProgress) => void;

/** Shows how far a lab is, and ends the work at Ctrl-C. */
export async function withProgress<T>(work: (onProgress: OnProgress, signal: AbortSignal) => Promise<T>): Promise<T> {
  const { createProgressPrinter } = await import("@ashlar/lab");
  const printer = createProgressPrinter({
    write: draw,
    isTerminal: drawsOnTerminal(),
    nowMs: () => performance.now(),
  });
  try {
    return await withInterruption(async (signal) => work(printer.report, signal));
  } finally {
    printer.close();
  }
}
