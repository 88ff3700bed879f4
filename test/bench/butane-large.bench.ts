import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { run, withTemporaryDirectory } from "@ashlar/host";
import type { Bench, BenchResult } from "./bench.ts";
import { ASHLAR, medians, referenceProgram, ROUNDS } from "./butane.ts";

const FILES = 3200;
const LINES_PER_FILE = 20;

export const bench: Bench = {
  name: "a config of 4 MB with 3200 files as a command",
  against: "the reference, same file",
  reach: { comparison: "at most", value: 2, unit: "times" },
  command: "npm run bench -- butane-large",
  run: async () => await withTemporaryDirectory(measure),
};

async function measure(directory: string): Promise<BenchResult> {
  const reference = await referenceProgram();
  const input = join(directory, "large.bu");
  await writeFile(input, largeConfig());
  const [ours, theirs] = [join(directory, "ours.ign"), join(directory, "theirs.ign")];
  const { ownMs, peerMs } = await medians(
    async () => await run(ASHLAR, ["butane", "--output", ours, input]),
    async () => await run(reference, ["--output", theirs, input]),
  );
  const [own, peer] = await Promise.all([ours, theirs].map(async (path) => await readFile(path)));
  if (own === undefined || peer === undefined || !own.equals(peer)) {
    throw new AshlarError("failed", "expected the same from both");
  }
  const detail = `${ownMs.toFixed(0)} ms, the reference ${peerMs.toFixed(0)} ms (medians of ${ROUNDS}, taking turns), same bytes`;
  return { value: ownMs / peerMs, detail };
}

/** Files with settings, some words of which repeat, as they do in real ones. */
function largeConfig(): string {
  let state = 1;
  const random = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % limit;
  };
  const word = (): string => (random(3) === 0 ? random(1_000_000).toString(36) : `setting${random(40)}`);
  const line = (): string => `          ${word()}.${word()} = /usr/lib/${word()}/${word()} ${word()}\n`;
  const file = (_: unknown, number: number): string =>
    `    - path: /etc/large/${number}.conf\n      mode: 0644\n      contents:\n        inline: |\n${Array.from({ length: LINES_PER_FILE }, line).join("")}`;
  return `variant: flatcar\nversion: 1.0.0\nstorage:\n  files:\n${Array.from({ length: FILES }, file).join("")}`;
}
