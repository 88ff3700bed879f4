import { constants, setPriority } from "node:os";
import { printJson, printLines } from "@ashlar/host/terminal";
import type { NodePaths } from "../shared/node-paths.ts";
import { readRunningSystem } from "../shared/running-system.ts";
import type { ScrubRecord } from "../slots/scrub-records.ts";
import { scrubSlots } from "../slots/scrub.ts";
import { withSlots } from "../slots/slots-lock.ts";
import { readSlots } from "../slots/slots.ts";
import { type ScrubbedImage, scrubImages } from "../extensions/scrub-images.ts";

/** Gives the exit status: 1 when a slot has damaged blocks. */
export async function scrubCommand(paths: NodePaths, json: boolean): Promise<number> {
  // The kernel derives the priority of input and output from this one (ioprio_set(2)).
  setPriority(constants.priority.PRIORITY_LOW);
  const { rootHash } = await readRunningSystem(paths);
  const records = await withSlots(paths, "ashlar agent scrub", async () => {
    const slots = await readSlots(paths, rootHash);
    // An empty slot has no blocks that could be compared with anything.
    return await scrubSlots(
      paths,
      slots.filter(({ version }) => version !== undefined),
      slots,
    );
  });
  const images = await scrubImages(paths.extensions);
  const lines = [...records.flatMap(describe), ...images.map(describeImage)];
  if (json) printJson({ slots: records, extensions: images });
  else printLines(lines);
  return records.every(isGood) && images.every(({ problem }) => problem === null) ? 0 : 1;
}

function describeImage({ path, problem }: ScrubbedImage): string {
  return `${path}: ${problem ?? "every block is good"}`;
}

function isGood({ badBlockCount, rootHash }: ScrubRecord): boolean {
  return badBlockCount === 0 && rootHash !== null;
}

function describe({ label, badBlockCount, badBlocks, rootHash }: ScrubRecord): string[] {
  if (rootHash === null) return [`${label}: the hash tree does not hold together`];
  if (badBlockCount === 0) return [`${label}: every block is good`];
  const lines = badBlocks.map(
    ({ block, files }) => `  block ${block}: ${files.length === 0 ? "file unknown" : files.join(", ")}`,
  );
  const more = badBlockCount - badBlocks.length;
  return [`${label}: ${badBlockCount} damaged blocks`, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])];
}
