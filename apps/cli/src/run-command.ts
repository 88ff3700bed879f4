import { endWithReader } from "./closed-pipe.ts";
import { reportFailure } from "./failure.ts";
import { createProgram } from "./program.ts";

/** Does what the arguments say. Commands end by setting process.exitCode, so that pending output is never cut off. */
export async function runCommand(): Promise<void> {
  endWithReader();
  try {
    const program = await createProgram(process.argv[2]);
    await program.parseAsync();
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}
