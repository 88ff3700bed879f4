import { printable } from "./printable.ts";

/**
 * A report collects every problem of one input, each with its place, so that a user can mend all of them at once.
 */
export type Report = readonly Problem[];

export type Problem = {
  readonly severity: "error" | "warning" | "info";
  /** What is wrong: expected and found. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The place inside the document, for example `$.storage.files.0.path`. */
  readonly path?: string;
  readonly position?: Position;
};

/** Lines and columns count from 1; columns count UTF-16 units. */
export type Position = { readonly line: number; readonly column: number };

export function hasErrors(report: Report): boolean {
  return report.some((problem) => problem.severity === "error");
}

/** Draws one problem for a terminal: message, source line with a caret, hint. Each line is printable. */
export function formatProblem(problem: Problem, source?: { readonly name: string; readonly text: string }): string {
  const { position } = problem;
  const place = [source?.name, position?.line, position?.column].filter((part) => part !== undefined).join(":");
  const at = problem.path === undefined ? "" : ` at ${problem.path}`;
  const lines = [printable(`${place === "" ? "" : `${place}: `}${problem.severity}${at}: ${problem.message}`)];
  const line = position === undefined ? undefined : source?.text.split("\n")[position.line - 1];
  if (position !== undefined && line !== undefined && line.length <= MAX_SHOWN_COLUMNS) {
    const gutter = String(position.line);
    // A tab would be as wide as the terminal has it.
    const shown = (text: string): string => printable(text.replaceAll("\t", " ").replace(/\r$/u, ""));
    const indent = " ".repeat(shown(line.slice(0, position.column - 1)).length);
    lines.push(`  ${gutter} | ${shown(line)}`, `  ${" ".repeat(gutter.length)} | ${indent}^`);
  }
  if (problem.hint !== undefined) lines.push(printable(`  hint: ${problem.hint}`));
  return lines.join("\n");
}

/** Longer lines (inlined data) would hide the message. */
const MAX_SHOWN_COLUMNS = 400;
