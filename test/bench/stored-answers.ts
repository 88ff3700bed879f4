import { setTimeout as sleep } from "node:timers/promises";
import type { BenchResult } from "./bench.ts";
import { median } from "./evidence.ts";
import { storedFleet } from "./stored-fleet.ts";
import { runAshlar, type Used } from "./used.ts";

export const STORED_NODES = 10_000;
const ROUNDS = 3;
/** Some node has it; nodes differ. */
const FOUND = 1;
/** A command is made one file once its sources have settled. */
const SETTLE_MS = 2000;

/** How long a command takes that asks about an archive of evidence, from its start to its end, once that was judged. */
export async function measureStored(command: readonly string[], count: number = STORED_NODES): Promise<BenchResult> {
  const args = [...command, "--from", await storedFleet(count), "--max-age", "999999999"];
  await runAshlar(args, FOUND);
  await sleep(SETTLE_MS);
  const cold = await runAshlar(args, FOUND);
  const rounds: Used[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const used = await runAshlar(args, FOUND);
    if (used.stdout !== cold.stdout) throw new Error("expected the answers of the first time, found others");
    rounds.push(used);
  }
  const of = (name: "processorMs" | "elapsedMs" | "peakMB"): number => median(rounds.map((used) => used[name]));
  const first = `the first time ${(cold.processorMs / 1000).toFixed(1)} s`;
  const time = `${(of("elapsedMs") / 1000).toFixed(1)} s by the clock`;
  const detail = `processor time of the whole command; ${time}, peak ${of("peakMB").toFixed(0)} MB (medians of ${ROUNDS}); ${first}`;
  return { value: of("processorMs"), detail };
}
