import type { Command } from "commander";
import { change, type ChangeFlags, changingCommand } from "../release/command-options.ts";

export function extensionWithdrawCommand(): Command {
  return changingCommand("withdraw", "Say that a version of an extension must not be installed any more, and why")
    .argument("<name>", "the extension")
    .argument("<version>", "its version")
    .requiredOption("--reason <text>", "what nodes report when they are asked for it")
    .addHelpText(
      "after",
      `
Nodes that have merged it go on, and \`ashlar prove\` names them: publish a version that is repaired.

Examples:
  ashlar extension withdraw kubernetes v1.33.5 --reason "eats pods" --repo /srv/releases --keys ~/release-keys`,
    )
    .action(async (name: string, version: string, flags: ChangeFlags & { readonly reason: string }) => {
      await change(flags, async (options) => {
        const { withdrawExtensionFromRepository } = await import("@ashlar/publisher");
        const { reason } = flags;
        await withdrawExtensionFromRepository({ ...options, name, version, reason });
        if (flags.json === true) console.log(JSON.stringify({ name, version, reason }));
        else console.log(`${name} ${version} is withdrawn`);
      });
    });
}
