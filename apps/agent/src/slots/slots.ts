import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import {
  GPT_BACKUP_BYTES,
  GPT_PRIMARY_BYTES,
  type NumberedPartition,
  PARTITION_TYPES,
  parseGpt,
  partitionUuidsOf,
} from "@ashlar/formats";
import { MAX_SLOTS } from "@ashlar/protocol";
import { openRegion, readRegion } from "@ashlar/volumes";
import type { NodePaths } from "../shared/node-paths.ts";

/** A place for one release's /usr: a data partition and the partition of its hash tree. */
export type Slot = {
  /** GPT partition name of the data partition: `ashlar_VERSION`, or `_empty`. */
  readonly label: string;
  /** What its label says that it holds, when both partitions say the same. */
  readonly version: string | undefined;
  readonly dataPartitionUuid: string;
  readonly hashPartitionUuid: string;
  /** Block devices. */
  readonly dataPath: string;
  readonly treePath: string;
};

const LINK_ATTEMPTS = 20;
const LINK_PAUSE_MS = 250;

/** The slots of the disk that the running system is on, as its partition table says now. */
export async function readSlots(paths: Pick<NodePaths, "partitionLinks">, runningRootHash: string): Promise<Slot[]> {
  const disk = await findDisk(paths, runningRootHash);
  return pairSlots(await readPartitions(disk), disk);
}

/** Data and hash partitions belong together by their labels or, when these say nothing, by their order. */
export function pairSlots(partitions: readonly NumberedPartition[], disk: string): Slot[] {
  const data = partitions.filter(({ type }) => type === PARTITION_TYPES.usr);
  const trees = partitions.filter(({ type }) => type === PARTITION_TYPES.usrVerity);
  const named = new Map(data.map((each) => [each, trees.find(({ label }) => label === `${each.label}_verity`)]));
  const free = trees.filter((tree) => ![...named.values()].includes(tree));
  return data.slice(0, MAX_SLOTS).flatMap((each) => {
    const own = named.get(each);
    const tree = own ?? free.shift();
    if (tree === undefined) return [];
    return {
      label: each.label,
      version: own === undefined ? undefined : /^ashlar_(?<version>.+)$/u.exec(each.label)?.groups?.["version"],
      dataPartitionUuid: each.uuid,
      hashPartitionUuid: tree.uuid,
      dataPath: partitionPath(disk, each.number),
      treePath: partitionPath(disk, tree.number),
    };
  });
}

/** `usrhash=` finds the running slot by the UUIDs that its root hash spells. */
export function isRunningSlot(slot: Slot, runningRootHash: string): boolean {
  const { data, hash } = partitionUuidsOf(Buffer.from(runningRootHash, "hex"));
  return slot.dataPartitionUuid === data && slot.hashPartitionUuid === hash;
}

/** The kernel's naming: /dev/vda2, but /dev/nvme0n1p2. */
export function partitionPath(disk: string, number: number): string {
  return `${disk}${/\d$/u.test(disk) ? "p" : ""}${number}`;
}

/** The disk that the running system is on. */
export async function findDisk(
  { partitionLinks }: Pick<NodePaths, "partitionLinks">,
  rootHash: string,
): Promise<string> {
  const link = join(partitionLinks, partitionUuidsOf(Buffer.from(rootHash, "hex")).data);
  let partition: string | undefined;
  // udev takes its links away for a moment whenever somebody has written to the partition table.
  for (let attempt = 0; partition === undefined && attempt < LINK_ATTEMPTS; attempt++) {
    if (attempt > 0) await setTimeout(LINK_PAUSE_MS);
    partition = await realpath(link).catch(() => undefined);
  }
  const disk = /^(?<disk>.*\d)p\d+$|^(?<plain>.*\D)\d+$/u.exec(partition ?? "")?.groups;
  const path = disk?.["disk"] ?? disk?.["plain"];
  if (path !== undefined) return path;
  throw new AshlarError("not-found", `expected the running /usr to be a partition at ${link}, found ${partition}`, {
    hint: "releases are installed on nodes that were started from an Ashlar disk image",
  });
}

async function readPartitions(disk: string): Promise<readonly NumberedPartition[]> {
  const device = await openRegion({ path: disk });
  await using _handle = device.handle;
  const { sizeBytes } = device;
  const primary = await readRegion(device, 0, GPT_PRIMARY_BYTES);
  const backup = await readRegion(device, sizeBytes - GPT_BACKUP_BYTES, GPT_BACKUP_BYTES);
  return parseGpt({ primary, backup, sizeBytes }).partitions;
}
