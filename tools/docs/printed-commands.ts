import type { Command } from "commander";

/** A command line at the beginning of a line of an example, after a prompt, or between backquotes. */
const COMMAND_LINE = /(?:^\s*(?:\$ )?|`)(?:\.\/)?ashlar (?<words>[^`\n]+)/gmu;
/** What follows is explained, piped, or left out. */
const END = /\s{2,}|\s[|>&#;]|\s?\.\.\.|\s\\$/u;
/** Not written as it is typed: alternatives, optional words, names to fill in. */
const ALTERNATIVES = /[|[\]<>{}]/u;

/** What is wrong about each `ashlar` command line in a text: a command that is not there, or an option that it does not take. */
export function findWrongCommands(program: Command, text: string): string[] {
  return [...text.matchAll(COMMAND_LINE)].flatMap((match) => {
    const words = (match.groups?.["words"] ?? "").split(END, 1)[0]?.trim().split(/\s+/u) ?? [];
    const problem = findProblem(program, words);
    return problem === undefined ? [] : [`ashlar ${words.join(" ")}: ${problem}`];
  });
}

function findProblem(program: Command, words: readonly string[]): string | undefined {
  let command = program;
  for (const word of words) {
    if (word === "--") return undefined;
    if (word.startsWith("-")) {
      const flag = word.split("=", 1)[0] ?? "";
      const isKnown = command.options.some(({ long, short }) => flag === long || flag === short);
      if (!isKnown && flag !== "--help" && !ALTERNATIVES.test(word)) return `${command.name()} has no ${flag}`;
      continue;
    }
    const child = command.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (child !== undefined) command = child;
    else if (command.commands.length > 0 && /^[a-z-]+$/u.test(word)) return `there is no command ${word}`;
  }
  return undefined;
}
