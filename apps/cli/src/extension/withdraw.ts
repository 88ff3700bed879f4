import { printJson, printLine } from "@ashlar/host/terminal";
import type { Command } from "commander";
import { change, type ChangeFlags, changingCommand } from "../release/command-options.ts";

export function extensionWithdrawCommand(): Command {
  return changingCommand("withdraw", "Withdraw a version of an extension: no node installs it any more")
    .argument("<name>", "the extension")
    .argument("<version>", "its version")
    .requiredOption("--reason <text>", "why; nodes report it to whoever asks for that version")
    .addHelpText(
      "after",
      `
Nodes that have merged it keep running, and \`ashlar prove\` names them: publish a repaired version.

Examples:
  ashlar extension withdraw kubernetes v1.33.5 --reason "eats pods" --repo /srv/releases --keys ~/release-keys`,
    )
    .action(async (name: string, version: string, flags: ChangeFlags & { readonly reason: string }) => {
      await change(flags, async (options) => {
        const { withdrawExtensionFromRepository } = await import("@ashlar/publisher");
        const { reason } = flags;
        await withdrawExtensionFromRepository({ ...options, name, version, reason });
        if (flags.json === true) printJson({ name, version, reason });
        else printLine(`${name} ${version} is withdrawn`);
      });
    });
}
