import { printLines, reportLines } from "@ashlar/host/terminal";
import { Command } from "commander";

/** A command with these subcommands, all of which end by throwing and none by ending the process. */
export function rootCommand(subcommands: readonly Command[], name: string): Command {
  const root = new Command(name)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => printLines(linesOf(underName(text, name))),
      writeErr: (text) => reportLines(linesOf(text)),
      outputError: (text, write) => write(text),
    })
    .showHelpAfterError("(add --help for usage and examples)")
    // `ashlar image build --version` is not `ashlar --version`.
    .enablePositionalOptions();
  // kubectl has completion of its own, which asks ours.
  for (const command of subcommands)
    root.addCommand(command, { hidden: command.name() === "completion" && name !== "ashlar" });
  inheritSettings(root);
  return root;
}

/** Examples are written for `ashlar`: as they are typed where the program has another name. */
export function underName(help: string, name: string): string {
  return help.replaceAll(/^(\s+)ashlar (?=\S)/gmu, `$1${name} `);
}

/** Commands made on their own do not inherit: without this, commander would end the process itself, with status 1. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/u, "").split("\n");
}
