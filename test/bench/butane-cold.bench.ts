import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, withTemporaryDirectory } from "@ashlar/host";
import type { Bench, BenchResult } from "./bench.ts";
import { ASHLAR, medians, referenceProgram, ROUNDS, workerConfig } from "./butane.ts";

/** Slower than this is felt, whatever the reference takes. */
const MAX_MS = 120;

export const bench: Bench = {
  name: `one node config as a command, which must take at most ${MAX_MS} ms, too`,
  against: "the reference, same file",
  reach: { comparison: "at most", value: 8, unit: "times" },
  command: "npm run bench -- butane-cold",
  run: async () => await withTemporaryDirectory(measure),
};

async function measure(directory: string): Promise<BenchResult> {
  const reference = await referenceProgram();
  const input = join(directory, "node.bu");
  await writeFile(input, workerConfig(1));
  const output = join(directory, "node.ign");
  await run(ASHLAR, ["butane", "--output", output, input]);
  const { ownMs, peerMs } = await medians(
    async () => await run(ASHLAR, ["butane", "--output", output, input]),
    async () => await run(reference, ["--output", output, input]),
  );
  const detail = `${ownMs.toFixed(0)} ms, the reference ${peerMs.toFixed(0)} ms (medians of ${ROUNDS}, taking turns)`;
  return { value: ownMs > MAX_MS ? Number.POSITIVE_INFINITY : ownMs / peerMs, detail };
}
