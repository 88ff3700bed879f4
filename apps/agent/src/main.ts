import { AshlarError } from "@ashlar/base";
import { HELP, VERSION, parseCommandLine } from "./command-line.ts";
import { runAgent } from "./run-agent.ts";

/** No top-level await: the single executable's main script is CommonJS, which starts faster (see the image package). */
async function main(): Promise<void> {
  const command = parseCommandLine(process.argv.slice(2));
  if (command.kind === "help") console.log(HELP);
  else if (command.kind === "version") console.log(`ashlar ${VERSION}`);
  else await runAgent(command, process.env);
}

main().catch((error: unknown) => {
  if (!(error instanceof AshlarError)) throw error;
  console.error(`error: ${error.message}`);
  if (error.hint !== undefined) console.error(`hint: ${error.hint}`);
  process.exitCode = error.code === "usage" ? 2 : error.code === "missing-tool" ? 3 : 1;
});
