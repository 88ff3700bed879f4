import { endWithReader } from "@ashlar/host/terminal";
import { reportFailure } from "./failure.ts";
import { createProgram } from "./program.ts";

/** Does what the arguments say. Commands end by setting process.exitCode, so that pending output is never cut off. */
export async function runCommand(): Promise<void> {
  await parseArguments(() => undefined);
}

/**
 * Prints help, the version, or what is wrong with the arguments.
 *
 * @returns whether that was all they ask for: if not, nothing has been done
 */
export async function runHelp(): Promise<boolean> {
  let isHelp = true;
  await parseArguments(() => {
    isHelp = false;
    throw new NotHelp();
  });
  return isHelp;
}

class NotHelp extends Error {}

async function parseArguments(beforeAction: () => void): Promise<void> {
  endWithReader();
  try {
    const program = await createProgram(process.argv[2]);
    await program.hook("preAction", beforeAction).parseAsync();
  } catch (error) {
    if (!(error instanceof NotHelp)) process.exitCode = reportFailure(error);
  }
}
