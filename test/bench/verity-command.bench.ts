import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { runForText, withTemporaryDirectory } from "@ashlar/host";
import type { Bench, BenchResult } from "./bench.ts";
import { ASHLAR, median, timeOf } from "./butane.ts";
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

type Times = { readonly ms: number[]; readonly processorMs: number[] };

/** Takes turns, so that whatever else the machine does weighs on both, and compares medians. */
async function measure(directory: string): Promise<BenchResult> {
  const [data, ours, theirs] = [join(directory, "data"), join(directory, "ours"), join(directory, "theirs")];
  await writeNoise(data, DATA_BYTES);
  const own: Times = { ms: [], processorMs: [] };
  const peer: Times = { ms: [], processorMs: [] };
  // The first runs make the bundle and its compiled code.
  for (let round = -2; round < ROUNDS; round++) {
    await timeProcess([ASHLAR, "verity", "format", data, ours, "--salt", SALT, "--uuid", UUID], round < 0 ? null : own);
    const args = ["format", data, theirs, `--salt=${SALT}`, `--uuid=${UUID}`];
    await timeProcess(["veritysetup", ...args], round < 0 ? null : peer);
  }
  await runForText("cmp", [ours, theirs]).catch((error: unknown) => {
    throw new AshlarError("failed", "expected the same tree from both", { cause: error });
  });
  const times = median(own.ms) / median(peer.ms);
  const processorTimes = median(own.processorMs) / median(peer.processorMs);
  const describe = ({ ms, processorMs }: Times): string =>
    `${median(ms).toFixed(0)} ms, ${median(processorMs).toFixed(0)} ms of a processor`;
  const detail = `${describe(own)}: ${processorTimes.toFixed(2)} times; veritysetup ${describe(peer)} (medians of ${ROUNDS}, taking turns)`;
  return { value: processorTimes > MAX_PROCESSOR_TIMES ? Number.POSITIVE_INFINITY : times, detail };
}

/** Bash tells the processor time of what it has run, with that of whatever this has started. */
async function timeProcess(command: readonly string[], into: Times | null): Promise<void> {
  let text = "";
  const ms = await timeOf(async () => {
    text = await runForText("bash", ["-c", '"$@" >/dev/null || exit; times', "bash", ...command]);
  });
  const seconds = [...(text.split("\n")[1] ?? "").matchAll(/(\d+)m([\d.]+)s/gu)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  if (seconds.length !== 2) throw new AshlarError("failed", `expected user and system time from bash, found ${text}`);
  into?.ms.push(ms);
  into?.processorMs.push(1000 * seconds.reduce((sum, each) => sum + each, 0));
}
