import { AshlarError } from "@ashlar/base";
import { printData, printLines } from "@ashlar/host/terminal";
import { Argument, Command, Option } from "commander";

const SHELLS = ["bash", "zsh", "fish"] as const;
const VALUES = ["labs", "nodes", "nodeproofs", "rollouts"] as const;

type Shell = (typeof SHELLS)[number];
type Values = (typeof VALUES)[number];
type CompletionOptions = { readonly values?: Values; readonly name: string; readonly next?: string };

/** @param readProgram - the whole command tree, which is loaded only when it is needed */
export function completionCommand(readProgram: () => Promise<Command>): Command {
  return new Command("completion")
    .description("Print what makes a shell complete the commands, options, labs and nodes of ashlar")
    .addArgument(new Argument("[shell]", "which one").choices(SHELLS))
    .addOption(
      new Option("--values <kind>", "print the names of labs, of a lab's nodes, or of a cluster's")
        .choices(VALUES)
        .hideHelp(),
    )
    .addOption(new Option("--name <lab>", "with --values nodes: of which lab").default("lab").hideHelp())
    .addOption(
      new Option("--next <words>", "for kubectl: how a line may go on; each word is a line, then a dot").hideHelp(),
    )
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
    .action(async (shell: Shell | undefined, { values, name, next }: CompletionOptions) => {
      if (next !== undefined) return printData(`${(await linesForKubectl(next, await readProgram())).join("\n")}\n`);
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

async function linesForKubectl(next: string, program: Command): Promise<readonly string[]> {
  const { nextWords, cobraLines } = await import("../completion/next-words.ts");
  const { commandWords } = await import("../completion/command-words.ts");
  // The dot keeps an empty last word from being lost by the shell.
  return await cobraLines(nextWords(commandWords(program), next.split("\n").slice(0, -1)), async (kind, given) =>
    (await import("../completion/names-of-cluster.ts")).namesOfCluster(kind, given),
  );
}

/** A shell that asks in vain offers nothing: what is wrong is said by the command that is typed. */
async function namesOf(values: Values, lab: string): Promise<readonly string[]> {
  if (values === "labs") return (await import("@ashlar/lab/list")).listLabs();
  if (values === "nodeproofs" || values === "rollouts") {
    const { namesOfCluster } = await import("../completion/names-of-cluster.ts");
    return await namesOfCluster(values === "rollouts" ? "rollout" : "nodeproof", {});
  }
  const { openLab } = await import("@ashlar/lab");
  return (await openLab(lab)).nodes.map(({ name }) => name);
}
