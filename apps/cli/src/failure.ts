import { AshlarError, BUG_STATUS, type ErrorCode, EXIT_STATUS } from "@ashlar/base";
import { reportBug, reportLine } from "@ashlar/host/terminal";
import { CommanderError } from "commander";

/** What to do about an error that does not say so itself: the same code on a node has no `./ashlar setup` to point at. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  "missing-tool": "run `./ashlar setup` to install what Ashlar needs",
};

/** Reports a failure and gives the exit status. What is not an AshlarError is a bug and keeps its stack trace. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_STATUS.usage;
  if (!(error instanceof AshlarError)) {
    reportBug(error);
    return BUG_STATUS;
  }
  reportLine(`error: ${error.message}`);
  const hint = error.hint ?? HINTS[error.code];
  if (hint !== undefined) reportLine(`hint: ${hint}`);
  return EXIT_STATUS[error.code];
}
