import { draw, drawsOnTerminal, printJson, printLines } from "@ashlar/host/terminal";
import { withLock } from "@ashlar/host";
import type { TurnEvent, UpdateResult } from "@ashlar/rollout";
import { createProgressPrinter, type Teller } from "./progress-printer.ts";
import { resultTable } from "./result-table.ts";

/**
 * Does `work` while nobody else updates the same nodes.
 *
 * @throws AshlarError `conflict` at once when somebody does
 */
export async function withUpdateLock<T>(recordPath: string, work: () => Promise<T>): Promise<T> {
  const options = { what: `the fleet of the record ${recordPath}`, holder: "an update" };
  // Not the lock of the record itself, which an update takes for each step.
  return await withLock(`${recordPath}.update.lock`, options, work);
}

/** Shows on standard error how `update` goes on. */
export async function withProgress<Status>(
  tell: Teller<Status>,
  update: (onEvent: (event: TurnEvent<Status>) => void) => Promise<UpdateResult>,
): Promise<UpdateResult> {
  const output = {
    write: draw,
    isTerminal: drawsOnTerminal(),
    nowMs: (): number => performance.now(),
  };
  const printer = createProgressPrinter(output, tell);
  try {
    return await update(printer.report);
  } finally {
    printer.close();
  }
}

/** Prints the result and sets the exit status. */
export function printResult(result: UpdateResult, asJson: boolean): void {
  if (asJson) printJson(result);
  else printLines(resultTable(result));
  process.exitCode = result.outcome === "complete" ? 0 : 1;
}
