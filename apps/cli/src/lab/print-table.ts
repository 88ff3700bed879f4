import { alignColumns, printLine, styled } from "@ashlar/host/terminal";

/** The first row is the header, and nothing without any other. */
export function printTable(rows: readonly (readonly string[])[]): void {
  if (rows.length < 2) return;
  for (const [index, row] of alignColumns(rows).entries()) {
    const line = row.join("  ");
    printLine(index === 0 ? styled("bold", line) : line);
  }
}
