import { endWithReader } from "./closed-pipe.ts";
import { createProgram } from "./program.ts";
import { reportFailure } from "./failure.ts";

endWithReader();
// Commands end by setting process.exitCode, so that pending output is never cut off.
try {
  const program = await createProgram(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}
