import type { Command } from "commander";
import { change, type ChangeFlags, changingCommand, parseCount } from "../release/command-options.ts";

export function extensionGcCommand(): Command {
  return changingCommand("gc", "Remove old versions of extensions from a repository")
    .requiredOption(
      "--keep <count>",
      "how many of the newest stay, of each minor version of each extension",
      parseCount,
    )
    .addHelpText(
      "after",
      `
Withdrawn versions do not count; one that is older than all that stay goes. A node that has had a removed version since its
last restart is a mismatch until the next one: keep as many as a node may take between restarts.

Examples:
  ashlar extension gc --keep 3 --repo /srv/releases --keys ~/release-keys`,
    )
    .action(async (flags: ChangeFlags & { readonly keep: number }) => {
      await change(flags, async (options) => {
        const { collectExtensionGarbage } = await import("@ashlar/publisher");
        const { removed, freedBytes } = await collectExtensionGarbage({ ...options, keep: flags.keep });
        if (flags.json === true) console.log(JSON.stringify({ removed, freedBytes }));
        else console.log(`removed ${removed.join(", ") || "no version"}, ${(freedBytes / 1e6).toFixed(0)} MB`);
      });
    });
}
