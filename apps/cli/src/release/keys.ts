import { printJson } from "@ashlar/host/terminal";
import type { Command } from "commander";
import { withInterruption } from "../interruption.ts";
import { readingCommand } from "./command-options.ts";
import { printKeys } from "./print-keys.ts";
import { readingOptions, type ReadFlags } from "./reading-options.ts";

export function keysCommand(): Command {
  return readingCommand("keys", "Show which keys a repository is signed with now")
    .addHelpText(
      "after",
      `
Follows the chain from the root role that you trust to the newest one, as a node does.

Examples:
  ashlar release keys --repo /srv/releases --keys ~/release-keys
  ashlar release keys --url https://releases.example/ --root release-root.json --json`,
    )
    .action(async (flags: ReadFlags) => {
      await withInterruption(async (signal) => {
        const { readKeys } = await import("@ashlar/publisher");
        const keys = await readKeys({ ...(await readingOptions(flags)), signal });
        if (flags.json === true) printJson(keys);
        else printKeys(keys);
      });
    });
}
