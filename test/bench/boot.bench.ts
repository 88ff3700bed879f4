import { join } from "node:path";
import { run, withTemporaryDirectory } from "@ashlar/host";
import { buildImage } from "@ashlar/image";
import type { Bench, BenchResult } from "./bench.ts";
import { bootUntil } from "./boot-machine.ts";
import { makePeerImage } from "./boot-peer.ts";
import { median } from "./evidence.ts";
import { untilStopped } from "./until-stopped.ts";

/** Each order twice at least; odd, for the medians. */
const ROUNDS = 5;

export const bench: Bench = {
  name: "power-on to proven, one node alone, emulated (TCG)",
  against: "the same packages in an ordinary ext4 Debian image, power-on to multi-user.target",
  reach: { comparison: "at most", value: 1.25, unit: "times" },
  command: "npm run bench -- boot",
  run: async () => await withTemporaryDirectory(measure),
};

/** Both start from a fresh disk, with the same virtual machine, firmware and TPM; in turns, and in either order. */
async function measure(directory: string): Promise<BenchResult> {
  return await untilStopped(async (signal) => {
    const step = { signal, onProgress: say };
    await buildImage({ version: "1.0.0", out: directory, ...step });
    const peer = await makePeerImage(step);
    const own: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 0) own.push(await timeNode(directory, signal));
      theirs.push(await timePeer(peer, signal));
      if (round % 2 !== 0) own.push(await timeNode(directory, signal));
      say(`round ${round + 1} of ${ROUNDS}: ${seconds(own.at(-1))}, Debian ${seconds(theirs.at(-1))}`);
    }
    const detail = `${seconds(median(own))}, Debian ${seconds(median(theirs))} (medians of ${ROUNDS}, taking turns)`;
    return { value: median(own) / median(theirs), detail };
  });
}

async function timeNode(image: string, signal: AbortSignal): Promise<number> {
  return await bootUntil(image, signal, async (lab) => {
    await lab.up;
    await run(join(import.meta.dirname, "../../ashlar"), ["prove", "--lab", lab.name], { signal });
  });
}

async function timePeer(image: string, signal: AbortSignal): Promise<number> {
  return await bootUntil(image, signal, async (lab) => {
    await lab.consoleSays(/Reached target.*multi-user\.target/u);
  });
}

function say(message: string): void {
  console.error(`  ${message}`);
}

function seconds(milliseconds: number | undefined): string {
  return `${((milliseconds ?? Number.NaN) / 1000).toFixed(1)} s`;
}
