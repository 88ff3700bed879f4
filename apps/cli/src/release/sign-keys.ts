import { printJson, printLine } from "@ashlar/host/terminal";
import { Command } from "commander";
import { createPassphraseSource } from "./passphrase.ts";
import { printChanges, printKeys, printMissing } from "./print-keys.ts";

type Flags = { readonly keys?: string; readonly passphraseFile?: string; readonly json?: true };

export function signKeysCommand(): Command {
  return new Command("sign-keys")
    .description("Sign a key rotation that somebody else has prepared; needs no repository and no network")
    .argument("<file>", "the next-root.json of `ashlar release rotate-keys`")
    .option("--keys <directory>", "where your root key is; without it the change is only shown")
    .option("--passphrase-file <file>", "its first line opens the key (default: asked for on a terminal)")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
The signature goes into the file. Look first, without --keys: whoever signs decides whose releases all nodes of the
repository take. With a release-root.json beside your key the change must follow from it; the first time there is none,
and signing puts it there.

Examples:
  ashlar release sign-keys next-root.json
  ashlar release sign-keys next-root.json --keys ~/my-release-key`,
    )
    .action(async (file: string, flags: Flags) => {
      const { KeyDirectory } = await import("@ashlar/keys");
      const { showProposal, signProposal } = await import("@ashlar/publisher");
      const { keys: path, passphraseFile } = flags;
      const report =
        path === undefined
          ? await showProposal(file)
          : await signProposal(file, new KeyDirectory(path, createPassphraseSource(passphraseFile)));
      if (flags.json === true) {
        printJson(report);
        return;
      }
      printKeys(report.keys);
      printChanges(report.changes);
      if (path !== undefined) {
        printLine(`signed by ${report.signedBy.map((id) => id.slice(0, 16)).join(", ")}`);
        if (!report.isTrusted)
          printLine("not checked: whether it follows from what you trust, without release-root.json");
      }
      printMissing(report.missing);
      if (report.missing.length === 0)
        printLine("all signatures are there: `ashlar release rotate-keys FILE` publishes it");
    });
}
