import { AshlarError } from "@ashlar/base";
import { printData, printLines } from "@ashlar/host/terminal";
import { Argument, Command, Option } from "commander";

const SHELLS = ["bash", "zsh", "fish"] as const;
const VALUES = ["labs", "nodes"] as const;

type Shell = (typeof SHELLS)[number];
type CompletionOptions = { readonly values?: (typeof VALUES)[number]; readonly name: string };

/** @param readProgram - the whole command tree, which is loaded only when it is needed */
export function completionCommand(readProgram: () => Promise<Command>): Command {
  return new Command("completion")
    .description("Print what makes a shell complete the commands, options, labs and nodes of ashlar")
    .addArgument(new Argument("[shell]", "which one").choices(SHELLS))
    .addOption(new Option("--values <kind>", "print the names of labs, or of a lab's nodes").choices(VALUES).hideHelp())
    .addOption(new Option("--name <lab>", "with --values nodes: of which lab").default("lab").hideHelp())
    .addHelpText(
      "after",
      `
The commands and options are in what is printed: print it again after an update. Labs and nodes are looked up when they are
asked for. The command has to be in the PATH as ashlar.

Examples:
  ashlar completion bash > ~/.local/share/bash-completion/completions/ashlar
  ashlar completion zsh > ~/.zfunc/_ashlar      (with fpath+=~/.zfunc before compinit in ~/.zshrc)
  ashlar completion fish > ~/.config/fish/completions/ashlar.fish
  . <(ashlar completion bash)`,
    )
    .action(async (shell: Shell | undefined, { values, name }: CompletionOptions) => {
      if (values !== undefined) return printLines(await namesOf(values, name));
      if (shell === undefined) {
        throw new AshlarError("usage", `expected a shell: ${SHELLS.join(", ")}`, {
          hint: "for example: . <(ashlar completion bash)",
        });
      }
      printData(await scriptFor(shell, await readProgram()));
    });
}

async function scriptFor(shell: Shell, program: Command): Promise<string> {
  const { commandWords } = await import("../completion/command-words.ts");
  const commands = commandWords(program);
  if (shell === "bash") return (await import("../completion/bash-script.ts")).bashScript(commands);
  if (shell === "zsh") return (await import("../completion/zsh-script.ts")).zshScript(commands);
  return (await import("../completion/fish-script.ts")).fishScript(commands);
}

/** A shell that asks in vain offers nothing: what is wrong is said by the command that is typed. */
async function namesOf(values: "labs" | "nodes", lab: string): Promise<readonly string[]> {
  if (values === "labs") return (await import("@ashlar/lab/list")).listLabs();
  const { openLab } = await import("@ashlar/lab");
  return (await openLab(lab)).nodes.map(({ name }) => name);
}
