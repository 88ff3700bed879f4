import type { Command, Option } from "commander";
import { failureStatuses, fullName, leaves, textAfterHelp } from "./command-pages.ts";

/**
 * A manual page (man(7)) for each command that does something, and one for `ashlar` that lists them: texts by file name, as
 * `ashlar-lab-up.1`.
 */
export function manPages(program: Command, version: string): Map<string, string> {
  const commands = [...leaves(program)];
  const pages = commands.map((command) => [`${nameOf(command)}.1`, commandPage(command, version)] as const);
  return new Map([[`${nameOf(program)}.1`, indexPage(program, commands, version)], ...pages]);
}

function indexPage(program: Command, commands: readonly Command[], version: string): string {
  const list = commands.flatMap((command) => [".TP", `.B ${text(fullName(command))}`, text(command.description())]);
  return page(program, version, [
    ".SH SYNOPSIS",
    `.B ${text(program.name())}`,
    "COMMAND ...",
    ".SH COMMANDS",
    ...list,
    ".SH EXIT STATUS",
    ...exitStatuses(),
    ".SH SEE ALSO",
    commands.map((command) => `.BR ${text(nameOf(command))} (1)`).join(",\n"),
  ]);
}

function commandPage(command: Command, version: string): string {
  const help = command.createHelp();
  const values = help.visibleArguments(command).flatMap((each) => {
    return [".TP", `.I ${text(each.name())}`, text(each.description)];
  });
  const options = help.visibleOptions(command).flatMap(optionLines);
  return page(command, version, [
    ".SH SYNOPSIS",
    `.B ${text(help.commandUsage(command))}`,
    ...(values.length === 0 ? [] : [".SH ARGUMENTS", ...values]),
    ".SH OPTIONS",
    ...options,
    ...describe(textAfterHelp(command)),
    ".SH SEE ALSO",
    ".BR ashlar (1)",
  ]);
}

function optionLines({ flags, description, defaultValue, defaultValueDescription }: Option): string[] {
  const value = defaultValueDescription ?? (defaultValue === undefined ? undefined : String(defaultValue));
  const more = value === undefined ? "" : ` (default: ${value})`;
  return [".TP", `.B ${text(flags)}`, text(description + more)];
}

/** What a command adds to its help, as it stands there: its examples in a section of their own. */
function describe(after: string): string[] {
  if (after === "") return [];
  const [before = "", examples] = after.split(/^Examples:\n/mu);
  const verbatim = (lines: string): string[] => [".nf", ...lines.trimEnd().split("\n").map(line), ".fi"];
  return [
    ...(before.trim() === "" ? [] : [".SH DESCRIPTION", ...verbatim(before)]),
    ...(examples === undefined ? [] : [".SH EXAMPLES", ...verbatim(examples)]),
  ];
}

function exitStatuses(): string[] {
  const failures = failureStatuses().flatMap(({ status, kinds }) => [".TP", `.B ${status}`, text(kinds)]);
  return ["0, 1 and 2 are answers: yes, no, and not known. Others are failures of the command itself:", ...failures];
}

/** The name line is what apropos(1) searches. */
function page(command: Command, version: string, lines: readonly string[]): string {
  const name = nameOf(command);
  const head = [`.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`Ashlar ${version}`)} "Ashlar"`, ".SH NAME"];
  return `${[...head, `${text(name)} \\- ${text(command.description())}`, ...lines].join("\n")}\n`;
}

function nameOf(command: Command): string {
  return fullName(command).replaceAll(" ", "-");
}

function quoted(value: string): string {
  return `"${text(value).replaceAll('"', String.raw`\(dq`)}"`;
}

/** One line of text: nothing in it is an instruction to the formatter, and a hyphen can be copied to a shell. */
function text(value: string): string {
  return line(value.replaceAll(/\s+/gu, " ").trim());
}

function line(value: string): string {
  const escaped = value.replaceAll("\\", String.raw`\e`).replaceAll("-", String.raw`\-`);
  return /^[.']/u.test(escaped) ? String.raw`\&${escaped}` : escaped;
}
