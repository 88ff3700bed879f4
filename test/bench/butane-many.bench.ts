import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run, withTemporaryDirectory } from "@ashlar/host";
import type { Bench, BenchResult } from "./bench.ts";
import { ASHLAR, referenceProgram, timeOf, workerConfig } from "./butane.ts";

const COUNT = 1000;

export const bench: Bench = {
  name: `${COUNT} different node configs, one ashlar butane --output-dir`,
  against: "the reference, run once for each",
  reach: { comparison: "at least", value: 5, unit: "times" },
  command: "npm run bench -- butane-many",
  run: async () => await withTemporaryDirectory(measure),
};

async function measure(directory: string): Promise<BenchResult> {
  const reference = await referenceProgram();
  const names = Array.from({ length: COUNT }, (_, number) => `node-${number}`);
  const [ours, theirs] = [join(directory, "ours"), join(directory, "theirs")];
  await mkdir(theirs);
  const inputs = names.map((name) => join(directory, `${name}.bu`));
  await Promise.all(inputs.map(async (path, number) => await writeFile(path, workerConfig(number))));
  const ownMs = await timeOf(async () => await run(ASHLAR, ["butane", "--output-dir", ours, ...inputs]));
  const peerMs = await timeOf(async () => {
    for (const [number, path] of inputs.entries()) {
      await run(reference, ["--output", join(theirs, `${names[number]}.ign`), path]);
    }
  });
  for (const name of names) {
    const [own, peer] = await Promise.all(
      [ours, theirs].map(async (side) => await readFile(join(side, `${name}.ign`), "utf8")),
    );
    if (own !== peer) throw new AshlarError("failed", `expected the same from both for ${name}`);
  }
  return { value: peerMs / ownMs, detail: `${ownMs.toFixed(0)} ms, the reference ${peerMs.toFixed(0)} ms, same bytes` };
}
