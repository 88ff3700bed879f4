import { Command } from "commander";
import { setupCommand } from "./commands/setup.ts";

/** The whole command tree. Parsing, `--help` and the reference pages all come from it. */
export function createProgram(): Command {
  return new Command("ashlar")
    .description("Immutable Kubernetes nodes that can be proved")
    .exitOverride()
    .showHelpAfterError("(add --help for usage and examples)")
    .addCommand(setupCommand());
}
