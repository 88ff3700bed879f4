import { printJson, printLine } from "@ashlar/host/terminal";
import type { Command } from "commander";
import { withInterruption } from "../interruption.ts";
import { readingCommand } from "../release/command-options.ts";
import { readingOptions, type ReadFlags } from "../release/reading-options.ts";

export function extensionListCommand(): Command {
  return readingCommand("list", "Show the extensions of a repository, the newest version of each first")
    .addHelpText(
      "after",
      `
Examples:
  ashlar extension list --repo /srv/releases --keys ~/release-keys
  ashlar extension list --url https://releases.example/ --root release-root.json --json`,
    )
    .action(async (flags: ReadFlags) => {
      await withInterruption(async (signal) => {
        const { readIndex } = await import("@ashlar/publisher");
        const { sortedExtensions } = await import("@ashlar/repository-index");
        const index = await readIndex({ ...(await readingOptions(flags)), signal });
        const extensions = sortedExtensions(index);
        if (flags.json === true) return printJson({ serial: index.serial, extensions });
        for (const { name, version, kind, tier, rootHash, files, withdrawn } of extensions) {
          const size = `${(files.image.sizeBytes / 1e6).toFixed(0)} MB`.padStart(8);
          const note = withdrawn === undefined ? "" : `  withdrawn ${withdrawn.at.slice(0, 10)}: ${withdrawn.reason}`;
          const columns = [name.padEnd(20), version.padEnd(14), kind.padEnd(7), tier.padEnd(9), size];
          printLine(`${columns.join(" ")}  ${rootHash.slice(0, 16)}${note}`);
        }
        printLine(`serial ${index.serial}`);
      });
    });
}
