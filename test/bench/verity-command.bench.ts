import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { runForText, withTemporaryDirectory } from "@ashlar/host";
import type { Bench, BenchResult } from "./bench.ts";
import { ASHLAR } from "./butane.ts";
import { medianTimes, timeProcess, type ProcessTimes } from "./process-times.ts";
import { writeNoise } from "./verity-files.ts";

const DATA_BYTES = 256_000_000;
const ROUNDS = 9;
const MAX_PROCESSOR_TIMES = 1.3;
const SALT = "5a".repeat(32);
const UUID = "01234567-89ab-cdef-0123-456789abcdef";

export const bench: Bench = {
  name: `ashlar verity format of 256 MB, which must take at most ${MAX_PROCESSOR_TIMES} times the processor time, too`,
  against: "veritysetup format, same file, same run",
  reach: { comparison: "at most", value: 1, unit: "times" },
  command: "npm run bench -- verity-command",
  run: async () => await withTemporaryDirectory(measure),
};

/** Takes turns, so that whatever else the machine does weighs on both, and compares medians. */
async function measure(directory: string): Promise<BenchResult> {
  const [data, ours, theirs] = [join(directory, "data"), join(directory, "ours"), join(directory, "theirs")];
  await writeNoise(data, DATA_BYTES);
  const own: ProcessTimes[] = [];
  const peer: ProcessTimes[] = [];
  // The first runs make the bundle and its compiled code.
  for (let round = -2; round < ROUNDS; round++) {
    const ownTimes = await timeProcess([ASHLAR, "verity", "format", data, ours, "--salt", SALT, "--uuid", UUID]);
    const args = ["format", data, theirs, `--salt=${SALT}`, `--uuid=${UUID}`];
    const peerTimes = await timeProcess(["veritysetup", ...args]);
    if (round < 0) continue;
    own.push(ownTimes);
    peer.push(peerTimes);
  }
  await runForText("cmp", [ours, theirs]).catch((error: unknown) => {
    throw new AshlarError("failed", "expected the same tree from both", { cause: error });
  });
  const [ownMs, peerMs] = [medianTimes(own), medianTimes(peer)];
  const times = ownMs.ms / peerMs.ms;
  const processorTimes = ownMs.processorMs / peerMs.processorMs;
  const describe = ({ ms, processorMs }: ProcessTimes): string =>
    `${ms.toFixed(0)} ms, ${processorMs.toFixed(0)} ms of a processor`;
  const detail = `${describe(ownMs)}: ${processorTimes.toFixed(2)} times; veritysetup ${describe(peerMs)} (medians of ${ROUNDS}, taking turns)`;
  return { value: processorTimes > MAX_PROCESSOR_TIMES ? Number.POSITIVE_INFINITY : times, detail };
}
