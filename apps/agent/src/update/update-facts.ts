import { listBootEntries } from "../boot-entries.ts";
import type { NodePaths } from "../node-paths.ts";
import { readRunningSystem } from "../running-system.ts";
import { isOnTrial } from "../trial.ts";
import type { UpdateFacts } from "./decide-update.ts";
import { readScrubRecords } from "./scrub-records.ts";
import { readSlots } from "./slots.ts";

export async function readUpdateFacts(paths: NodePaths): Promise<UpdateFacts> {
  const running = await readRunningSystem(paths);
  const [trial, slots, entries, records] = await Promise.all([
    isOnTrial(paths),
    readSlots(paths, running.rootHash),
    listBootEntries(paths.esp),
    readScrubRecords(paths),
  ]);
  return { running, trial, slots, entries, records };
}
