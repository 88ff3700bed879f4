/** A tree as a node has it, and how long it takes to collect it beside what else does so. */
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomFillSync } from "node:crypto";
import { collectRoot } from "@ashlar/audit";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import type { BenchResult } from "./bench.ts";

const FILES = 100_000;
const FILES_IN_DIRECTORY = 50;
const TREE_BYTES = 4_000_000_000;
const ROUNDS = 3;
const PATIENCE_MS = 3_600_000;
/** Of one length in three: most files of a distribution are small, and a few have most of the bytes. */
const SIZES: readonly number[] = [2000, 18_000, 100_000];

/** The median time of the collector over the median time of a peer, both over the same tree in memory. */
export async function compareCollecting(
  peer: string,
  collectByPeer: (tree: string, directory: string) => Promise<void>,
): Promise<BenchResult> {
  return await withTemporaryDirectory(async (directory) => {
    const tree = join(directory, "tree");
    await makeTree(tree);
    const own: number[] = [];
    const others: number[] = [];
    // The first round fills the cache, and does not count.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const to = join(directory, `snapshot-${round}`);
      const times = [
        await timeOf(async () => await collectRoot(tree, { to, pieces: `${to}.pieces`, patienceMs: PATIENCE_MS })),
        await timeOf(async () => await collectByPeer(tree, directory)),
      ] as const;
      if (round === 0) continue;
      own.push(times[0]);
      others.push(times[1]);
    }
    const [ownMs, peerMs] = [median(own), median(others)];
    const detail = `${(ownMs / 1000).toFixed(1)} s, ${peer} ${(peerMs / 1000).toFixed(1)} s (medians of ${ROUNDS}, taking turns)`;
    return { value: ownMs / peerMs, detail };
  });
}

/** How many bytes come of a tree of so many files the first time, and the second, when nothing has changed. */
export async function bytesOfTwoAudits(files: number): Promise<readonly [number, number]> {
  return await withTemporaryDirectory(async (directory) => {
    const tree = join(directory, "tree");
    for (let index = 0; index < files; index += 1) {
      const to = join(tree, "usr/share", `package-${Math.floor(index / FILES_IN_DIRECTORY)}`);
      if (index % FILES_IN_DIRECTORY === 0) await mkdir(to, { recursive: true });
      await writeFile(join(to, `some-file-of-a-package-${index}.data`), String(index));
    }
    const [first, second] = [join(directory, "first"), join(directory, "second")];
    const options = { patienceMs: PATIENCE_MS };
    const before = await collectRoot(tree, { ...options, to: first, pieces: `${first}.pieces` });
    const again = { to: second, pieces: `${second}.pieces`, sentBefore: `${first}.pieces` };
    const after = await collectRoot(tree, { ...options, ...again });
    return [before.bytes, after.bytes];
  });
}

async function makeTree(tree: string): Promise<void> {
  const noise = randomFillSync(Buffer.alloc(Math.max(...SIZES)));
  let bytes = 0;
  for (let index = 0; index < FILES; index += 1) {
    const directory = join(tree, "usr/share", `package-${Math.floor(index / FILES_IN_DIRECTORY)}`);
    if (index % FILES_IN_DIRECTORY === 0) await mkdir(directory, { recursive: true });
    // Another content in each.
    noise.writeUInt32LE(index);
    const size = SIZES[index % SIZES.length] ?? 0;
    const file = await open(join(directory, `file-${index}.data`), "w");
    await file.write(noise, 0, size);
    await file.close();
    bytes += size;
  }
  if (Math.abs(bytes / TREE_BYTES - 1) < 0.01) return;
  throw new AshlarError("failed", `expected a tree of ${TREE_BYTES} bytes, found ${bytes}`);
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}
