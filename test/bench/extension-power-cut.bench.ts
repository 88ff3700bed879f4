import { randomInt } from "node:crypto";
import { messageOf } from "@ashlar/base";
import { cutPowerOfExtension } from "../faults/extension-power-cut.ts";
import { removeLabOnSignal } from "../e2e/world.ts";
import type { Bench, BenchResult } from "./bench.ts";
import { survivedCuts } from "./survived.ts";

const NAME = "bench-extension-power";
const DEFAULT_CUTS = 10;

export const bench: Bench = {
  name: "power cuts during an extension's update after which the node is proven, and updated in the end",
  against: "-",
  reach: { comparison: "at least", value: 1, unit: "of them" },
  command: "npm run bench -- extension-power-cut 100",
  run: async (count = DEFAULT_CUTS) => await measure(count),
};

async function measure(cuts: number): Promise<BenchResult> {
  removeLabOnSignal(NAME);
  let survived = 0;
  const say = (line: string): void => console.error(`  ${line}`);
  const onCut = (): void => void (survived += 1);
  const problems: string[] = [];
  const seed = randomInt(2 ** 32);
  await cutPowerOfExtension({ name: NAME, cuts, seed, say, onCut }).catch((error: unknown) => {
    problems.push(messageOf(error));
  });
  return survivedCuts(survived, cuts, problems);
}
