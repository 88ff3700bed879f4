import type { Bench } from "./bench.ts";
import { compareBoots } from "./boot-compare.ts";

export const bench: Bench = {
  name: "instructions of a boot to its end, phase by phase: the part of boot-profile for a computer that is busy",
  against: "the same packages in an ordinary ext4 Debian image, one processor, 2 ns an instruction",
  reach: { comparison: "at most", value: 1.25, unit: "times" },
  command: "npm run bench -- boot-instructions [RUNS]",
  run: async (count = 1) => await compareBoots(async () => ["tcg-counted"], count),
};
