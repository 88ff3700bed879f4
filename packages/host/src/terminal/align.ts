/**
 * Pads each cell to the widest of its column, the last column's as they are.
 *
 * @param rows - cells as they are drawn but without colour: what colours has no width
 */
export function alignColumns(rows: readonly (readonly string[])[]): string[][] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))),
  );
}
