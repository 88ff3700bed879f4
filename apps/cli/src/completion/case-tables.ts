import type { CommandWords, ValueKind } from "./command-words.ts";

export type Word = { readonly name: string; readonly description: string };

/** How one shell offers what can be typed next. Each gives shell code of one line. */
export type Dialect = {
  readonly offerValue: (kind: ValueKind) => string;
  readonly offerWords: (words: readonly Word[]) => string;
};

/**
 * Shell functions that Bash and Zsh both understand: which words are a command's own (`_ashlar_walk`), and what can follow
 * (`_ashlar_value`, `_ashlar_options`, `_ashlar_operand`).
 */
export function caseTables(commands: readonly CommandWords[], { offerValue, offerWords }: Dialect): string {
  const known = commands.flatMap(({ path }) => (path.length === 0 ? [] : [quote(key(path))]));
  const valued = commands.flatMap(({ path, options }) =>
    options.flatMap(({ names, value }) =>
      value === undefined ? [] : [[names.map((name) => quote(`${key(path)} ${name}`)).join(" | "), value] as const],
    ),
  );
  return `# Sets at (the command so far), before (an option that waits for its value), operands (how many), lab; from the words before the
# one that is typed.
_ashlar_walk() {
  local each
  at= before= operands=0 lab=lab
  for each in "$@"; do
    if [ -n "$before" ]; then
      case "$before" in --name | --lab) lab=$each ;; esac
      before=
    elif _ashlar_is_command "$at $each"; then at="$at $each"
    elif _ashlar_takes_value "$at $each"; then before=$each
    else
      case "$each" in -*) ;; *) operands=$((operands + 1)) ;; esac
    fi
  done
}
_ashlar_is_command() {
  case "$1" in ${known.join(" | ")}) return 0 ;; esac
  return 1
}
_ashlar_takes_value() {
  case "$1" in
${valued.map(([patterns]) => `    ${patterns}) return 0 ;;`).join("\n")}
  esac
  return 1
}
_ashlar_value() {
  case "$1" in
${valued.map(([patterns, kind]) => `    ${patterns}) ${offerValue(kind)} ;;`).join("\n")}
  esac
}
_ashlar_options() {
  case "$1" in
${commands.map(({ path, options }) => `    ${quote(key(path))}) ${offerWords(options.map(optionWord))} ;;`).join("\n")}
  esac
}
_ashlar_operand() {
  case "$1 $2" in
${commands.flatMap((command) => operandCases(command, { offerValue, offerWords })).join("\n")}
  esac
}`;
}

/** One word of a shell, whatever is in it. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command as the functions keep it: a space before each word. */
function key(path: readonly string[]): string {
  return path.map((word) => ` ${word}`).join("");
}

function optionWord({ names, description }: CommandWords["options"][number]): Word {
  return { name: names[0] ?? "", description };
}

function operandCases({ path, subcommands, operands }: CommandWords, dialect: Dialect): string[] {
  if (subcommands.length > 0) return [`    ${quote(`${key(path)} 0`)}) ${dialect.offerWords(subcommands)} ;;`];
  return operands.map((kind, index) => {
    // The last one's words may be many.
    const pattern = index === operands.length - 1 ? `${quote(`${key(path)} `)}*` : quote(`${key(path)} ${index}`);
    return `    ${pattern}) ${dialect.offerValue(kind)} ;;`;
  });
}
