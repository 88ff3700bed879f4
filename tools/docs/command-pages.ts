import { BUG_STATUS, EXIT_STATUS } from "@ashlar/base";
import { underName } from "@ashlar/cli";
import type { Command, Option } from "commander";

/** A reference page for each command that does something, and an index: page texts by file name. */
export function commandPages(program: Command): Map<string, string> {
  const commands = [...leaves(program)];
  const pages = commands.map((command) => [fileName(command), commandPage(command)] as const);
  return new Map([["README.md", indexPage(program, commands)], ...pages]);
}

/** Those that do something, and not only have others below them. */
export function* leaves(command: Command): Generator<Command> {
  const children = command.commands.filter((child) => child.name() !== "help");
  if (children.length === 0) yield command;
  for (const child of children) yield* leaves(child);
}

function indexPage(program: Command, commands: readonly Command[]): string {
  const rows = commands.map((command) => `| [${fullName(command)}](${fileName(command)}) | ${command.description()} |`);
  return page([
    `# ${program.name()}`,
    `${program.description()}.`,
    "Generated from the command tree by `npm run docs`.",
    ["| command | what it does |", "|---|---|", ...rows].join("\n"),
    exitStatuses(),
  ]);
}

/** The statuses that hold for every command; the kinds of failure come from the one table in the code. */
function exitStatuses(): string {
  const rows = failureStatuses().map(({ status, kinds }) => `| ${status} | ${kinds} |`);
  return [
    "## Exit status",
    "",
    "Answers are 0, 1 and 2: `prove` gives 0 for proven, 1 for a mismatch, also of a next boot, and 2 for unknown; a command that checks",
    "something gives 0 when it holds and 1 when it does not. Everything else is a failure of the command itself, with the",
    "statuses of sysexits.h:",
    "",
    "| status | kind of failure |",
    "|---|---|",
    ...rows,
  ].join("\n");
}

/** What each status of a failure means, the smallest first. */
export function failureStatuses(): readonly { readonly status: number; readonly kinds: string }[] {
  const kindsOf = Map.groupBy([...Object.entries(EXIT_STATUS), ["bug", BUG_STATUS] as const], ([, status]) => status);
  return [...kindsOf]
    .toSorted(([first], [second]) => first - second)
    .map(([status, kinds]) => ({ status, kinds: kinds.map(([kind]) => kind).join(", ") }));
}

function commandPage(command: Command): string {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== "--help");
  const argumentRows = help
    .visibleArguments(command)
    .map((each) => `| \`${each.name()}\` | ${cell(each.description)} |`);
  const after = textAfterHelp(command);
  return page([
    `# ${fullName(command)}`,
    `${command.description()}.`,
    `    ${help.commandUsage(command)}`,
    ...(argumentRows.length === 0 ? [] : [["| argument | meaning |", "|---|---|", ...argumentRows].join("\n")]),
    ...(options.length === 0 ? [] : [optionTable(options)]),
    ...(after === "" ? [] : [`\`\`\`text\n${after}\n\`\`\``]),
    "[Exit statuses](README.md#exit-status) are the same for all commands unless this page says otherwise.",
  ]);
}

function optionTable(options: readonly Option[]): string {
  const rows = options.map((option) => `| \`${option.flags}\` | ${cell(option.description)} | ${defaultOf(option)} |`);
  return ["| option | meaning | default |", "|---|---|---|", ...rows].join("\n");
}

function defaultOf({ defaultValue, defaultValueDescription }: Option): string {
  if (defaultValueDescription !== undefined) return cell(defaultValueDescription);
  return defaultValue === undefined ? "" : `\`${cell(String(defaultValue))}\``;
}

/** What the command adds to its help: commander keeps it in event handlers, so that only printing shows it. */
export function textAfterHelp(command: Command): string {
  let printed = "";
  command.configureOutput({ writeOut: (text) => (printed += text), getOutHelpWidth: () => HELP_COLUMNS });
  command.outputHelp();
  return underName(printed.replace(command.helpInformation(), "").trimEnd(), rootName(command)).trim();
}

function rootName(command: Command): string {
  return command.parent === null ? command.name() : rootName(command.parent);
}

/** Fixed, so that the pages do not depend on the terminal. */
const HELP_COLUMNS = 120;

export function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function fileName(command: Command): string {
  return `${fullName(command).replaceAll(" ", "-")}.md`;
}

/** A bar would end the cell of a Markdown table. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function page(blocks: readonly string[]): string {
  return `${blocks.join("\n\n")}\n`;
}
