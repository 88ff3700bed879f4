/**
 * `npm run bench [-- NAME [COUNT]...] [-- --json]`: measures each promised number, one after the other, and compares it
 * with what it has to reach. NAME is a file's name without `.bench.ts`; COUNT is for those that do something many times.
 */
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs, styleText } from "node:util";
import { AshlarError } from "@ashlar/base";
import { isReached, type Bench, type Reach } from "./bench.ts";

const SUFFIX = ".bench.ts";

type Row = { readonly id: string; readonly bench: Bench } & (
  | { readonly value: number; readonly detail: string; readonly passed: boolean }
  | { readonly failure: string; readonly passed: false }
);

const { values, positionals } = parseArgs({ options: { json: { type: "boolean" } }, allowPositionals: true });
const available = globSync(join(import.meta.dirname, `*${SUFFIX}`)).map((path) => basename(path, SUFFIX));
const named = positionals.filter((word) => !isCount(word));
const unknown = named.filter((name) => !available.includes(name));
if (unknown.length > 0) {
  console.error(`error: expected names among ${available.join(", ")}, found ${unknown.join(", ")}`);
  process.exit(2);
}

const measured: Row[] = [];
for (const id of (named.length === 0 ? available : named).toSorted()) {
  console.error(`bench: ${id}`);
  measured.push(await measure(id));
}
if (values.json === true) console.log(JSON.stringify(measured, undefined, 2));
else printTable(measured);
process.exitCode = measured.length > 0 && measured.every(({ passed }) => passed) ? 0 : 1;

async function measure(id: string): Promise<Row> {
  const module: { bench: Bench } = await import(`./${id}${SUFFIX}`);
  const { bench } = module;
  const count = positionals[positionals.indexOf(id) + 1] ?? "";
  try {
    const { value, detail } = await bench.run(isCount(count) && named.includes(id) ? Number(count) : undefined);
    return { id, bench, value, detail, passed: isReached(bench.reach, value) };
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return { id, bench, failure: error.message, passed: false };
  }
}

function isCount(word: string): boolean {
  return /^[1-9][0-9]*$/u.test(word);
}

function printTable(rows: readonly Row[]): void {
  const lines = rows.map((row) => {
    const { reach } = row.bench;
    const value = "value" in row ? formatValue(row.value, reach.unit) : "not measured";
    return { row, cells: [value, `${reach.comparison} ${formatValue(reach.value, reach.unit)}`] };
  });
  const widths = [0, 1].map((column) => Math.max(...lines.map(({ cells }) => cells[column]?.length ?? 0)));
  for (const { row, cells } of lines) {
    const { bench, passed } = row;
    const mark = passed ? styleText("green", "pass") : styleText("red", "miss");
    const columns = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    console.log(`${[mark, ...columns].join("  ")}  ${bench.name}, against ${bench.against}`);
    console.log(`      ${"value" in row ? row.detail : row.failure}`);
    console.log(`      ${bench.command}`);
  }
  console.log(`bench: ${rows.filter(({ passed }) => passed).length} of ${rows.length} reached`);
}

function formatValue(value: number, unit: Reach["unit"]): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ${unit}`;
}
