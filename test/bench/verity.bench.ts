import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run, runForText, withTemporaryDirectory } from "@ashlar/host";
import { formatVerity } from "@ashlar/volumes";
import type { Bench, BenchResult } from "./bench.ts";
import { writeNoise } from "./verity-files.ts";

/** As large as a node's usr image. */
const IMAGE_BYTES = 254_000_000 - (254_000_000 % 4096);
const ROUNDS = 9;
const UUID = "01234567-89ab-cdef-0123-456789abcdef";

export const bench: Bench = {
  name: "dm-verity tree of a usr image of 254 MB, in a running process on 2 cores",
  against: "veritysetup format, same file, same run",
  reach: { comparison: "at least", value: 1.6, unit: "times" },
  command: "npm run bench -- verity",
  run: async () => await withTemporaryDirectory(measure),
};

/** Takes turns, so that whatever else the machine does weighs on both, and compares medians. */
async function measure(directory: string): Promise<BenchResult> {
  const [data, ours, theirs] = ["data", "ours", "theirs"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  await writeNoise(data, IMAGE_BYTES);
  const salt = randomBytes(32);
  const own: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all([ours, theirs].map(async (path) => await rm(path, { force: true })));
    own.push(await timeOf(async () => await formatVerity({ data, hash: ours, salt, uuid: UUID, threads: 2 })));
    const args = ["format", data, theirs, `--salt=${salt.toString("hex")}`, `--uuid=${UUID}`];
    peer.push(await timeOf(async () => await run("veritysetup", args)));
  }
  await runForText("cmp", [ours, theirs]).catch((error: unknown) => {
    throw new AshlarError("failed", "expected the same tree from both", { cause: error });
  });
  const [ownMs, peerMs] = [median(own), median(peer)];
  const detail = `${ownMs.toFixed(0)} ms, veritysetup ${peerMs.toFixed(0)} ms (medians of ${ROUNDS}, taking turns)`;
  return { value: peerMs / ownMs, detail };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
