import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { butaneCommand } from "./commands/butane.ts";
import { extensionCommand } from "./commands/extension.ts";
import { debugCommand } from "./commands/debug.ts";
import { ignitionCommand } from "./commands/ignition.ts";
import { imageCommand } from "./commands/image.ts";
import { labCommand } from "./commands/lab.ts";
import { operatorKeyCommand } from "./commands/operator-key.ts";
import { proveCommand } from "./commands/prove.ts";
import { releaseCommand } from "./commands/release.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { setupCommand } from "./commands/setup.ts";
import { updateCommand } from "./commands/update.ts";
import { verityCommand } from "./commands/verity.ts";
import { rootCommand } from "./root-command.ts";

/** The whole command tree. Parsing, `--help` and the reference pages all come from it. */
export function createProgram(): Command {
  return rootCommand([
    butaneCommand(),
    debugCommand(),
    extensionCommand(),
    ignitionCommand(),
    imageCommand(),
    labCommand(),
    operatorKeyCommand(),
    proveCommand(),
    releaseCommand(),
    rollbackCommand(),
    setupCommand(),
    updateCommand(),
    verityCommand(),
  ])
    .description("Immutable Kubernetes nodes that can be proved")
    .version(ownVersion());
}

function ownVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest.version;
}
