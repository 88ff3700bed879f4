import { randomInt } from "node:crypto";
import { messageOf } from "@ashlar/base";
import { cutPower } from "../faults/power-cut.ts";
import { makeReleases } from "../e2e/update-releases.ts";
import { removeLabOnSignal } from "../e2e/world.ts";
import type { Bench, BenchResult } from "./bench.ts";
import { survivedCuts } from "./survived.ts";

const NAMES = ["bench-power-a", "bench-power-b"];
const DEFAULT_CUTS = 20;

export const bench: Bench = {
  name: "power cuts during an update after which the node is proven, and updated in the end",
  against: "-",
  reach: { comparison: "at least", value: 1, unit: "of them" },
  command: "npm run bench -- power-cut 100",
  run: async (count = DEFAULT_CUTS) => await measure(count),
};

async function measure(count: number): Promise<BenchResult> {
  removeLabOnSignal(...NAMES);
  const releases = await makeReleases();
  const say = (line: string): void => console.error(`  ${line}`);
  let survived = 0;
  const problems: string[] = [];
  const lanes = NAMES.map(async (name, lane) => {
    const cuts = Math.floor((count + lane) / NAMES.length);
    const onCut = (): void => void (survived += 1);
    await cutPower({ name, releases, cuts, seed: randomInt(2 ** 32), say, onCut }).catch((error: unknown) => {
      problems.push(messageOf(error));
    });
  });
  await Promise.all(lanes);
  return survivedCuts(survived, count, problems);
}
