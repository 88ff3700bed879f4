import { printLines, reportLines } from "@ashlar/host/terminal";
import { Command } from "commander";

/** The command `ashlar` with these subcommands, all of which end by throwing and none by ending the process. */
export function rootCommand(subcommands: readonly Command[]): Command {
  const root = new Command("ashlar")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => printLines(linesOf(text)),
      writeErr: (text) => reportLines(linesOf(text)),
      outputError: (text, write) => write(text),
    })
    .showHelpAfterError("(add --help for usage and examples)")
    // `ashlar image build --version` is not `ashlar --version`.
    .enablePositionalOptions();
  for (const command of subcommands) root.addCommand(command);
  inheritSettings(root);
  return root;
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
