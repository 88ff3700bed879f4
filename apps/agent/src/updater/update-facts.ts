import { listBootEntries } from "../slots/boot-entries.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { readRunningSystem } from "../shared/running-system.ts";
import { isOnTrial } from "../boot/trial.ts";
import type { UpdateFacts } from "./decide-update.ts";
import { readScrubRecords } from "../slots/scrub-records.ts";
import { readSlots } from "../slots/slots.ts";

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
