import { run, runForText } from "@ashlar/host";
import type { Bench, BenchResult } from "./bench.ts";
import { ASHLAR } from "./butane.ts";
import { medianTimes, timeProcess, type ProcessTimes } from "./process-times.ts";

const ROUNDS = 11;

export const bench: Bench = {
  name: "the slowest of --version, lab list and every command's --help, as a command: its processor time",
  against: "-",
  reach: { comparison: "at most", value: 100, unit: "ms" },
  command: "npm run bench -- command-start",
  run: async () => await measure(),
};

async function measure(): Promise<BenchResult> {
  const [, commands = ""] = (await runForText(ASHLAR, ["--help"])).split("\nCommands:\n");
  const names = [...commands.matchAll(/^ {2}(?!help )([a-z-]+) /gmu)].map(([, name = ""]) => name);
  const started = [["--version"], ["--help"], ["lab", "list"], ...names.map((name) => [name, "--help"])];
  const measured: { readonly words: string; readonly times: ProcessTimes }[] = [];
  for (const args of started) {
    // The first run makes the bundle, the second its compiled code.
    for (let warmUp = 0; warmUp < 2; warmUp++) await run(ASHLAR, args);
    const times: ProcessTimes[] = [];
    for (let round = 0; round < ROUNDS; round++) times.push(await timeProcess([ASHLAR, ...args]));
    measured.push({ words: args.join(" "), times: medianTimes(times) });
  }
  const slowest = measured.toSorted((a, b) => b.times.processorMs - a.times.processorMs);
  const named = [...slowest.slice(0, 3), ...measured.slice(0, 3)].map(
    ({ words, times }) => `${words} ${times.processorMs.toFixed(0)} ms (${times.ms.toFixed(0)} ms until it ended)`,
  );
  return {
    value: slowest[0]?.times.processorMs ?? 0,
    detail: `${[...new Set(named)].join(", ")} (medians of ${ROUNDS})`,
  };
}
