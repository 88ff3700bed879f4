import { readFileSync } from "node:fs";
import { Command } from "commander";
import { butaneCommand } from "./commands/butane.ts";
import { ignitionCommand } from "./commands/ignition.ts";
import { imageCommand } from "./commands/image.ts";
import { labCommand } from "./commands/lab.ts";
import { proveCommand } from "./commands/prove.ts";
import { setupCommand } from "./commands/setup.ts";
import { verityCommand } from "./commands/verity.ts";

/** The whole command tree. Parsing, `--help` and the reference pages all come from it. */
export function createProgram(): Command {
  const program = new Command("ashlar")
    .description("Immutable Kubernetes nodes that can be proved")
    .version(ownVersion())
    .exitOverride()
    .showHelpAfterError("(add --help for usage and examples)")
    // `ashlar image build --version` is not `ashlar --version`.
    .enablePositionalOptions();
  for (const command of [
    butaneCommand(),
    ignitionCommand(),
    imageCommand(),
    labCommand(),
    proveCommand(),
    setupCommand(),
    verityCommand(),
  ]) {
    program.addCommand(command);
  }
  inheritSettings(program);
  return program;
}

/** Commands made on their own do not inherit: without this, commander would end the process itself, with status 1. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

function ownVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}
