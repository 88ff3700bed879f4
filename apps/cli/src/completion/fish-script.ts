import type { CommandWords, OptionWords, ValueKind } from "./command-words.ts";

/** Fish 3.1 and later. */
export function fishScript(commands: readonly CommandWords[]): string {
  const known = commands.flatMap(({ path }) => (path.length === 0 ? [] : [quote(path.join(" "))]));
  return `# Completion of ashlar for Fish. Written by \`ashlar completion fish\`, which says where it belongs.
function __ashlar_at --description 'whether the words so far are this command'
    set -l commands ${known.join(" ")}
    set -l at
    for word in (commandline -opc)[2..-1]
        set -l longer (string join -- ' ' $at $word)
        contains -- $longer $commands; and set at $longer
    end
    test "$at" = "$argv[1]"
end
function __ashlar_nodes
    set -l words (commandline -opc)
    set -l lab lab
    for index in (seq (count $words))
        contains -- $words[$index] --name --lab; and set -q words[(math $index + 1)]; and set lab $words[(math $index + 1)]
    end
    ashlar completion --values nodes --name $lab 2>/dev/null
end
complete -c ashlar -f
${commands.flatMap(linesOf).join("\n")}
`;
}

function linesOf({ path, subcommands, options, operands }: CommandWords): string[] {
  const at = `-n ${quote(`__ashlar_at ${quote(path.join(" "))}`)}`;
  // Options' values and operands of different kinds cannot be told apart by position here: the first kind is offered.
  const operand = operands.map(valuesOf).find((values) => values !== "");
  return [
    ...subcommands.map(
      ({ name, description }) => `complete -c ashlar ${at} -a ${quote(name)} -d ${quote(description)}`,
    ),
    ...options.map((option) => `complete -c ashlar ${at} ${optionFlags(option)} -d ${quote(option.description)}`),
    ...(operand === undefined ? [] : [`complete -c ashlar ${at} ${operand}`]),
  ];
}

function optionFlags({ names, value }: OptionWords): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
  if (value === undefined) return flags;
  // -r: it takes a value, a file's name too; -x: no file's name.
  return value === "file" ? `${flags} -r -F` : `${flags} -x ${valuesOf(value)}`.trimEnd();
}

function valuesOf(kind: ValueKind): string {
  switch (kind) {
    case "file":
      return "-F";
    case "directory":
      return "-a '(__fish_complete_directories)'";
    case "lab":
      return "-a '(ashlar completion --values labs 2>/dev/null)'";
    case "node":
      return "-a '(__ashlar_nodes)'";
    case "nodeproof":
      return "-a '(ashlar completion --values nodeproofs 2>/dev/null)'";
    case "rollout":
      return "-a '(ashlar completion --values rollouts 2>/dev/null)'";
    case "none":
      return "";
    default:
      return `-a ${quote(kind.join(" "))}`;
  }
}

/** One word of Fish: in single quotes only these two are special. */
function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
