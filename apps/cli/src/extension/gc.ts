import { printJson, printLine } from "@ashlar/host/terminal";
import type { Command } from "commander";
import { change, type ChangeFlags, changingCommand, parseCount } from "../release/command-options.ts";

export function extensionGcCommand(): Command {
  return changingCommand("gc", "Remove old versions of extensions from a repository")
    .requiredOption(
      "--keep <count>",
      "how many of the newest versions to keep, for each minor version of each extension",
      parseCount,
    )
    .addHelpText(
      "after",
      `
Withdrawn versions do not count; those older than all kept versions are removed. A node that has merged a removed version
since its last restart is a mismatch until the next one: keep as many as a node may go through between restarts.

Examples:
  ashlar extension gc --keep 3 --repo /srv/releases --keys ~/release-keys`,
    )
    .action(async (flags: ChangeFlags & { readonly keep: number }) => {
      await change(flags, async (options) => {
        const { collectExtensionGarbage } = await import("@ashlar/publisher");
        const { removed, freedBytes } = await collectExtensionGarbage({ ...options, keep: flags.keep });
        if (flags.json === true) printJson({ removed, freedBytes });
        else printLine(`removed ${removed.join(", ") || "no version"}, ${(freedBytes / 1e6).toFixed(0)} MB`);
      });
    });
}
