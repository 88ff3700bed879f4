import { endWithReader } from "../closed-pipe.ts";
import { butaneCommand } from "../commands/butane.ts";
import { ignitionCommand } from "../commands/ignition.ts";
import { reportFailure } from "../failure.ts";
import { rootCommand } from "../root-command.ts";

/** Runs the commands about configs, without loading the others. */
export async function runConfigCommand(): Promise<void> {
  endWithReader();
  try {
    await rootCommand([butaneCommand(), ignitionCommand()]).parseAsync();
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}
