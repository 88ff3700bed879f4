import { run, runForText } from "@ashlar/host";
import type { Bench, BenchResult } from "./bench.ts";
import { ASHLAR, median, ROUNDS, timeOf } from "./butane.ts";

export const bench: Bench = {
  name: "the slowest of --version, lab list and every command's --help, as a command",
  against: "-",
  reach: { comparison: "at most", value: 100, unit: "ms" },
  command: "npm run bench -- command-start",
  run: async () => await measure(),
};

async function measure(): Promise<BenchResult> {
  const [, commands = ""] = (await runForText(ASHLAR, ["--help"])).split("\nCommands:\n");
  const names = [...commands.matchAll(/^ {2}(?!help )([a-z-]+) /gmu)].map(([, name = ""]) => name);
  const started = [["--version"], ["--help"], ["lab", "list"], ...names.map((name) => [name, "--help"])];
  const measured: { readonly words: string; readonly ms: number }[] = [];
  for (const args of started) {
    // The first run makes the bundle, the second its compiled code.
    for (let warmUp = 0; warmUp < 2; warmUp++) await run(ASHLAR, args);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) times.push(await timeOf(async () => await run(ASHLAR, args)));
    measured.push({ words: args.join(" "), ms: median(times) });
  }
  const slowest = measured.toSorted((a, b) => b.ms - a.ms);
  const named = [...slowest.slice(0, 3), ...measured.slice(0, 3)].map(
    ({ words, ms }) => `${words} ${ms.toFixed(0)} ms`,
  );
  return { value: slowest[0]?.ms ?? 0, detail: `${[...new Set(named)].join(", ")} (medians of ${ROUNDS})` };
}
