import { AshlarError, type ErrorCode } from "@ashlar/base";
import { reportLine } from "@ashlar/host/terminal";
import { CommanderError } from "commander";

/** The one table from error codes to exit statuses. */
export const EXIT_STATUS: Readonly<Record<ErrorCode, number>> = {
  usage: 2,
  malformed: 1,
  limit: 1,
  invalid: 1,
  "not-found": 1,
  conflict: 1,
  untrusted: 1,
  unavailable: 1,
  failed: 1,
  "missing-tool": 3,
  interrupted: 130,
};

/** What to do about an error that does not say so itself: the same code on a node has no `./ashlar setup` to point at. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  "missing-tool": "run `./ashlar setup` to install what Ashlar needs",
};

/** Tells the user about an expected failure and gives the exit status. Rethrows anything else: it is a bug. */
export function reportFailure(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_STATUS.usage;
  if (!(error instanceof AshlarError)) throw error;
  reportLine(`error: ${error.message}`);
  const hint = error.hint ?? HINTS[error.code];
  if (hint !== undefined) reportLine(`hint: ${hint}`);
  return EXIT_STATUS[error.code];
}
