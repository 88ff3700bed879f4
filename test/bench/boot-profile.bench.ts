import { chooseAccelerator, requireTools, type Accelerator } from "@ashlar/lab";
import type { Bench } from "./bench.ts";
import { compareBoots } from "./boot-compare.ts";

export const bench: Bench = {
  name: "a boot to its end (multi-user.target, and health), phase by phase",
  against:
    "the same packages in an ordinary ext4 Debian image; in instructions where machines are emulated, else in time",
  reach: { comparison: "at most", value: 1.25, unit: "times" },
  command: "npm run bench -- boot-profile [RUNS]",
  run: async (count = 1) => await compareBoots(waysHere, count),
};

/** The last one is what is compared: where machines are emulated, it does not depend on what else this computer does. */
async function waysHere(signal: AbortSignal): Promise<readonly Accelerator[]> {
  const { accelerator } = await chooseAccelerator((await requireTools()).join("."), signal);
  return accelerator === "kvm" ? ["kvm"] : ["tcg", "tcg-counted"];
}
