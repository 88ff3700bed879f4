import { parseArgs, type ParseArgsConfig } from "node:util";
import { AshlarError, EXIT_STATUS } from "@ashlar/base";
import { endWithReader, outputStream } from "./closed-pipe.ts";
import { printLines, reportError } from "./print.ts";

/**
 * The arguments of a program that people start with `npm run`. Every option that it has must be in `config`.
 *
 * @throws AshlarError `usage`
 */
export function parseArguments<const T extends ParseArgsConfig>(
  config: T,
  helpCommand: string,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new AshlarError("usage", error.message, { hint: `usage and examples: ${helpCommand}` });
  }
}

/** Prints a help text. */
export function printHelp(text: string): void {
  printLines(text.split("\n"));
}

/** Does the work of such a program, which gives the exit status. A failure that was expected has no stack trace. */
export async function runStep(work: () => Promise<number>, name?: string): Promise<void> {
  endWithReader();
  // Their tests and tables are printed in other ways, too.
  outputStream("stdout");
  outputStream("stderr");
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    reportError(error, name);
    process.exitCode = EXIT_STATUS[error.code];
  }
}
