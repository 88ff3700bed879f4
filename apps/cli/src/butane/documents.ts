import { readFileSync } from "node:fs";
import { AshlarError, formatProblem, messageOf, type Report } from "@ashlar/base";
import { reportLine, reportLines } from "@ashlar/host/terminal";

/** A text to be judged, with the name that its problems are reported under. */
export type NamedText = { readonly name: string; readonly text: string };

/**
 * Reads a file, or standard input for `-`.
 *
 * @throws AshlarError `not-found` if it cannot be read, `malformed` if it is not UTF-8.
 */
export async function readDocument(path: string): Promise<NamedText> {
  const name = path === "-" ? "standard input" : path;
  let bytes: Uint8Array;
  try {
    bytes = path === "-" ? await readStandardInput() : readFileSync(path);
  } catch (error) {
    throw new AshlarError("not-found", `expected a file to read: ${messageOf(error)}`);
  }
  try {
    return { name, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    throw new AshlarError("malformed", `expected text in UTF-8, found other bytes in ${name}`);
  }
}

async function readStandardInput(): Promise<Uint8Array> {
  const { buffer } = await import("node:stream/consumers");
  return await buffer(process.stdin);
}

/** More problems than these hide the first ones from a person. */
const MAX_SHOWN = 100;

/** Shows problems to a person. */
export function printReport(report: Report, source: NamedText): void {
  for (const problem of report.slice(0, MAX_SHOWN)) reportLines(formatProblem(problem, source).split("\n"));
  const hidden = report.length - MAX_SHOWN;
  if (hidden > 0) reportLine(`${source.name}: ${hidden} more problems; --json prints all`);
}
