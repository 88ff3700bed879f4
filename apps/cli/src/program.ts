import { readFileSync } from "node:fs";
import { Command } from "commander";
import { imageCommand } from "./commands/image.ts";
import { labCommand } from "./commands/lab.ts";
import { proveCommand } from "./commands/prove.ts";
import { setupCommand } from "./commands/setup.ts";
import { verityCommand } from "./commands/verity.ts";

/** The whole command tree. Parsing, `--help` and the reference pages all come from it. */
export function createProgram(): Command {
  return new Command("ashlar")
    .description("Immutable Kubernetes nodes that can be proved")
    .version(ownVersion())
    .exitOverride()
    // `ashlar image build --version` is not `ashlar --version`.
    .enablePositionalOptions()
    .showHelpAfterError("(add --help for usage and examples)")
    .addCommand(imageCommand())
    .addCommand(labCommand())
    .addCommand(proveCommand())
    .addCommand(setupCommand())
    .addCommand(verityCommand());
}

function ownVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}
