/** `npm run bench`: see its help. The name of a bench is that of its file. */
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { styleText } from "node:util";
import { AshlarError } from "@ashlar/base";
import { parseArguments, printHelp, runStep } from "@ashlar/host/terminal";
import { isReached, type Bench, type Reach } from "./bench.ts";

const SUFFIX = ".bench.ts";
const HELP_COMMAND = "npm run bench -- --help";

type Row = { readonly id: string; readonly bench: Bench } & (
  | { readonly value: number; readonly detail: string; readonly passed: boolean }
  | { readonly failure: string; readonly passed: false }
);

const OPTIONS = { help: { type: "boolean", short: "h" }, json: { type: "boolean" } } as const;

await runStep(async () => {
  const { values, positionals } = parseArguments({ options: OPTIONS, allowPositionals: true }, HELP_COMMAND);
  const available = globSync(join(import.meta.dirname, `*${SUFFIX}`)).map((path) => basename(path, SUFFIX));
  if (values.help === true) {
    printHelp(await helpText(available.toSorted()));
    return 0;
  }
  const unknown = positionals.filter((word) => !isCount(word) && !available.includes(word));
  if (unknown.length > 0) {
    const hint = `all names: ${HELP_COMMAND}`;
    throw new AshlarError("usage", `expected names of benches, found ${unknown.join(", ")}`, { hint });
  }
  const counts = countsByName(positionals);
  const measured: Row[] = [];
  for (const id of (counts.size === 0 ? available : [...counts.keys()]).toSorted()) {
    console.error(`bench: ${id}`);
    measured.push(await measure(id, counts.get(id)));
  }
  if (values.json === true) console.log(JSON.stringify(measured, undefined, 2));
  else printTable(measured);
  return measured.every(({ passed }) => passed) ? 0 : 1;
});

/** @throws AshlarError `usage` for a count that follows no name */
function countsByName(words: readonly string[]): Map<string, number | undefined> {
  const counts = new Map<string, number | undefined>();
  for (const [index, word] of words.entries()) {
    const name = words[index - 1];
    if (!isCount(word)) counts.set(word, undefined);
    else if (name !== undefined && counts.has(name)) counts.set(name, Number(word));
    else throw new AshlarError("usage", `expected the name of a bench before the count ${word}`);
  }
  return counts;
}

async function helpText(names: readonly string[]): Promise<string> {
  const width = Math.max(...names.map((name) => name.length));
  const list = await Promise.all(
    names.map(async (name) => {
      const { bench } = await load(name);
      return `  ${name.padEnd(width)}  ${bench.name}`;
    }),
  );
  return `Usage: npm run bench [-- [options] [name [count]]...]

Measures each promised number, one after the other, and compares it with what it has to reach. Without names: all of them,
which takes hours without KVM. A count is for those that do something many times.

Options:
  --json      print what was measured as JSON on standard output
  -h, --help  print this

Names:
${list.join("\n")}

Exit status: 0 all were reached; 1 some were not, or could not be measured.

Examples:
  npm run bench -- command-start
  npm run bench -- verity-command butane-cold
  npm run bench -- power-cut 20
  npm run --silent bench -- command-start --json >bench.json`;
}

async function load(id: string): Promise<{ readonly bench: Bench }> {
  return await import(`./${id}${SUFFIX}`);
}

async function measure(id: string, count: number | undefined): Promise<Row> {
  const { bench } = await load(id);
  try {
    const { value, detail } = await bench.run(count);
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
