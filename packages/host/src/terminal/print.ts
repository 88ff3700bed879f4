/**
 * The only door through which text leaves for standard output and standard error. Whatever goes through it is made
 * printable: names, messages, file contents come from nodes, releases, certificates and files that somebody else made.
 * `tools/check-layers.ts` finds whoever prints in another way.
 */
import { printable, printableJson, type AshlarError, type JsonForm } from "@ashlar/base";
import { outputStream } from "./closed-pipe.ts";
import { Drawn, type Printed } from "./drawn.ts";

/** One line on standard output. */
export function printLine(line: Printed): void {
  outputStream("stdout").write(`${asText(line)}\n`);
}

/** One line on standard error: progress, warnings, problems. */
export function reportLine(line: Printed): void {
  outputStream("stderr").write(`${asText(line)}\n`);
}

/** Several lines on standard output. */
export function printLines(lines: readonly Printed[]): void {
  for (const line of lines) printLine(line);
}

/** The same on standard error. */
export function reportLines(lines: readonly Printed[]): void {
  for (const line of lines) reportLine(line);
}

/** A value as JSON on standard output. */
export function printJson(value: unknown, form?: JsonForm): void {
  outputStream("stdout").write(`${printableJson(value, form)}\n`);
}

/** Something that is drawn on standard error, without a line end of its own. */
export function draw(text: Drawn): void {
  outputStream("stderr").write(text.toString());
}

/**
 * Data that the user has asked for, byte for byte, for a file or another program. A terminal gets it as lines that it
 * shows as they are.
 */
export function printData(text: string): void {
  if (process.stdout.isTTY) printLines(text.replace(/\n$/u, "").split("\n"));
  else outputStream("stdout").write(text);
}

/** A message on standard error. It may hold what a program has said in several lines: all but the first stay behind a bar. */
export function reportText(text: string): void {
  const [first = "", ...more] = text.split("\n");
  reportLine(first);
  for (const line of more) reportLine(`  | ${line}`);
}

/** An expected failure: its message, then what to do. */
export function reportError({ message, hint }: Pick<AshlarError, "message" | "hint">, prefix = "error"): void {
  reportText(`${prefix}: ${message}`);
  // Commands to run, for example: they can be copied.
  if (hint !== undefined)
    reportLines(`hint: ${hint}`.split("\n").map((line, index) => (index === 0 ? line : `  ${line}`)));
}

/** Whether standard error is a terminal, where lines can be drawn again. */
export function drawsOnTerminal(): boolean {
  return process.stderr.isTTY;
}

function asText(line: Printed): string {
  return line instanceof Drawn ? line.toString() : printable(line);
}

/** Something that nobody expected: its stack trace, and what to do with it. */
export function reportBug(error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  reportLines(stack.split("\n"));
  reportLine("this is a bug in Ashlar: please report it with the lines above and the command");
}
