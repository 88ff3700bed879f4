import type { Command } from "commander";

/** What a shell can offer for a value. */
export type ValueKind = "file" | "directory" | "lab" | "node" | "nodeproof" | "rollout" | "none" | readonly string[];

export type OptionWords = {
  /** For example `--image`, then `-i` if there is a short one. */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined: it takes no value. */
  readonly value: ValueKind | undefined;
};

/** What can be typed after one command. */
export type CommandWords = {
  /** The command itself, for example `["lab", "up"]`. */
  readonly path: readonly string[];
  readonly description: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionWords[];
  /** By position; the last one's words may be many. */
  readonly operands: readonly ValueKind[];
};

/** A command and all below it, each before those below it. */
export function commandWords(command: Command, path: readonly string[] = []): readonly CommandWords[] {
  const help = command.createHelp();
  const subcommands = help.visibleCommands(command);
  const own: CommandWords = {
    path,
    description: command.description(),
    subcommands: subcommands.map((each) => ({ name: each.name(), description: each.description() })),
    options: help.visibleOptions(command).map((option) => ({
      names: [option.long, option.short].filter((name) => typeof name === "string"),
      description: option.description,
      value: /[<[]/u.test(option.flags) ? kindOf(option.flags, option.argChoices) : undefined,
    })),
    operands: command.registeredArguments.map((argument) => kindOf(`<${argument.name()}>`, argument.argChoices)),
  };
  const below = subcommands
    .filter((each) => command.commands.includes(each))
    .flatMap((each) => commandWords(each, [...path, each.name()]));
  return [own, ...below];
}

const KINDS: readonly (readonly [RegExp, ValueKind])[] = [
  [/<(?:dir|directory|out)(?:\.\.\.)?>/u, "directory"],
  [/<(?:file|files|place|path|data|hash|image|from|to|keys|ek|evidence|config)(?:\.\.\.)?>/u, "file"],
  [/<lab>/u, "lab"],
  [/<node(?:\.\.\.)?>/u, "node"],
  [/<nodeproof>/u, "nodeproof"],
  [/<rollout>/u, "rollout"],
];

/** By the word that help shows for the value, for example `--image <dir>`. */
function kindOf(flags: string, choices: readonly string[] | undefined): ValueKind {
  if (choices !== undefined) return choices;
  const shown = flags.replace("[", "<").replace("]", ">");
  return KINDS.find(([pattern]) => pattern.test(shown))?.[1] ?? "none";
}
