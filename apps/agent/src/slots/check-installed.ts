import { join } from "node:path";
import { partitionUuidsOf } from "@ashlar/formats";
import { digestFile } from "@ashlar/host";
import { ENTRY_DIRECTORY, listBootEntries } from "./boot-entries.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { dropCaches, scrubSlots } from "./scrub.ts";
import type { Slot } from "./slots.ts";

/** Reads every block of a slot. Gives what is wrong with it in one sentence, or undefined. */
export async function findSlotProblem(
  paths: NodePaths,
  slot: Slot,
  all: readonly Slot[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const [record] = await scrubSlots(paths, [slot], all, signal);
  const rootHash = record?.rootHash ?? null;
  if (record === undefined || rootHash === null) return `the slot ${slot.label} has no hash tree that holds together`;
  const { data, hash } = partitionUuidsOf(Buffer.from(rootHash, "hex"));
  if (data !== slot.dataPartitionUuid || hash !== slot.hashPartitionUuid) {
    return `the slot ${slot.label} has the root hash ${rootHash}, which is not that of its partitions' UUIDs`;
  }
  if (record.badBlockCount === 0) return undefined;
  const files = record.badBlocks[0]?.files.join(", ") ?? "";
  const first = `the first of them is ${record.badBlocks[0]?.block}${files === "" ? "" : ` (${files})`}`;
  return `the slot ${slot.label} has ${record.badBlockCount} damaged blocks; ${first}`;
}

/** Reads a release's UKI back. Gives what is wrong with it in one sentence, or undefined. */
export async function findUkiProblem(
  paths: Pick<NodePaths, "esp">,
  wanted: { readonly version: string; readonly uki: { readonly sha256: string } },
): Promise<string | undefined> {
  const entries = (await listBootEntries(paths.esp)).filter(({ version }) => version === wanted.version);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    return `expected one boot entry of ${wanted.version}, found ${entries.length}`;
  }
  const path = join(paths.esp, ENTRY_DIRECTORY, entry.fileName);
  await dropCaches([path]);
  const found = (await digestFile(path)).digest;
  if (found === wanted.uki.sha256) return undefined;
  return `${entry.fileName}: expected SHA-256 ${wanted.uki.sha256}, found ${found}`;
}
