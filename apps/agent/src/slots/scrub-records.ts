import { membersOf } from "@ashlar/base";
import { join } from "node:path";
import type { NodePaths } from "../shared/node-paths.ts";
import { readStateFile, writeStateFile } from "../shared/state-file.ts";
import type { Slot } from "./slots.ts";

/** What was found when every block of a slot was last read. */
export type ScrubRecord = {
  readonly label: string;
  readonly dataPartitionUuid: string;
  readonly hashPartitionUuid: string;
  /** Of the tree on the disk, in hexadecimal; null when it does not hold together. */
  readonly rootHash: string | null;
  readonly badBlockCount: number;
  /** The first of them. */
  readonly badBlocks: readonly DamagedBlock[];
  /** RFC 3339. */
  readonly readAt: string;
};

export type DamagedBlock = {
  readonly block: number;
  /** Absolute paths; empty when it is not known which. */
  readonly files: readonly string[];
};

type SlotName = Pick<Slot, "dataPartitionUuid" | "hashPartitionUuid">;

export async function readScrubRecords({ state }: Pick<NodePaths, "state">): Promise<ScrubRecord[]> {
  const { slots } = membersOf(await readStateFile(fileIn(state)));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only this file writes it, as root
  return Array.isArray(slots) ? (slots as ScrubRecord[]) : [];
}

/** The record of what is in the slot now. */
export function recordOf(records: readonly ScrubRecord[], slot: SlotName): ScrubRecord | undefined {
  return records.find((record) => isSame(record, slot));
}

/** Notes what was found; what was known of slots that exist no more is forgotten. */
export async function writeScrubRecords(
  { state }: Pick<NodePaths, "state">,
  found: readonly ScrubRecord[],
  slots: readonly SlotName[],
): Promise<void> {
  const known = await readScrubRecords({ state });
  const kept = known.filter(
    (record) => slots.some((slot) => isSame(record, slot)) && !found.some((each) => isSame(record, each)),
  );
  await writeStateFile(fileIn(state), { slots: [...found, ...kept] });
}

/** Before a slot is written to: what was read there says nothing any more. */
export async function forgetScrubRecord(paths: Pick<NodePaths, "state">, slot: SlotName): Promise<void> {
  const known = await readScrubRecords(paths);
  await writeStateFile(fileIn(paths.state), { slots: known.filter((record) => !isSame(record, slot)) });
}

function isSame(a: SlotName, b: SlotName): boolean {
  return a.dataPartitionUuid === b.dataPartitionUuid && a.hashPartitionUuid === b.hashPartitionUuid;
}

function fileIn(state: string): string {
  return join(state, "scrub.json");
}
