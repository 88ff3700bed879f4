import { AshlarError } from "@ashlar/base";
import type { ReadBytes } from "../erofs/image.ts";
import type { Guid } from "../gpt/guid.ts";
import { type NumberedPartition, parseGpt } from "../gpt/parse-gpt.ts";
import { GPT_BACKUP_BYTES, GPT_PRIMARY_BYTES, PARTITION_ATTRIBUTES, SECTOR_BYTES } from "../gpt/partition-table.ts";
import { partitionUuidsOf } from "../verity/partition-uuids.ts";
import { parseVeritySuperblock, SUPERBLOCK_BYTES, type VeritySuperblock } from "../verity/superblock.ts";
import { verityLayout } from "../verity/tree-layout.ts";
import { MAX_SIGNATURE_PARTITION_BYTES, parseSignaturePartition, type SignedRootHash } from "./signature-partition.ts";

/**
 * A disk image with one file system, its hash tree and the signature of its root hash (UAPI Group "Discoverable Disk
 * Image"). Parsing shows that its parts fit together; nothing in it is proved yet.
 */
export type Ddi = {
  /** Whether the file system stands for a whole tree or for `/usr`: repart makes system extensions as `root`. */
  readonly designator: "root" | "usr";
  readonly data: DdiPartition;
  readonly tree: DdiPartition;
  readonly signature: DdiPartition;
  readonly superblock: VeritySuperblock;
  readonly signed: SignedRootHash;
};

export type DdiPartition = { readonly number: number; readonly offsetBytes: number; readonly sizeBytes: number };

/** Partition types for x86-64 (UAPI Group "Discoverable Partitions Specification"). */
export const DDI_TYPES: Readonly<Record<Ddi["designator"], Readonly<Record<Role, Guid>>>> = {
  root: {
    data: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
    tree: "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
    signature: "41092b05-9fc8-4523-994f-2def0408b176",
  },
  usr: {
    data: "8484680c-9521-48c6-9c11-b0720656f69e",
    tree: "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
    signature: "e7bb33fb-06cf-4e81-8273-e543b413e2e2",
  },
};

type Role = "data" | "tree" | "signature";
const DESIGNATORS: readonly Ddi["designator"][] = ["root", "usr"];
const ROLES: readonly Role[] = ["data", "tree", "signature"];

/** The hash tree is held in memory: 32 MiB for this much. */
export const MAX_DDI_BYTES: number = 4 * 2 ** 30;
const BLOCK_BYTES = 4096;

/**
 * Parses a DDI that has exactly the three partitions of one signed file system.
 *
 * @param read gives exactly as many bytes as asked for
 * @throws AshlarError `limit`, `malformed`, or `invalid` when the parts do not belong together
 */
export function parseDdi(read: ReadBytes, sizeBytes: number): Ddi {
  if (sizeBytes > MAX_DDI_BYTES) {
    throw new AshlarError("limit", `DDI: expected at most ${MAX_DDI_BYTES} bytes, found ${sizeBytes}`);
  }
  if (sizeBytes < GPT_PRIMARY_BYTES + GPT_BACKUP_BYTES) {
    throw new AshlarError("malformed", `DDI: expected room for a partition table, found ${sizeBytes} bytes`);
  }
  const primary = read(0, GPT_PRIMARY_BYTES);
  const backup = read(sizeBytes - GPT_BACKUP_BYTES, GPT_BACKUP_BYTES);
  const { partitions } = parseGpt({ primary, backup, sizeBytes });
  const { designator, data, tree, signature } = findRoles(partitions);

  const signed = readSigned(read, placeOf(signature));
  const uuids = partitionUuidsOf(Buffer.from(signed.rootHash, "hex"));
  expectUuid("data", uuids.data, data);
  expectUuid("hash tree", uuids.hash, tree);
  const superblock = readSuperblock(read, placeOf(data), placeOf(tree));
  return { designator, data: placeOf(data), tree: placeOf(tree), signature: placeOf(signature), superblock, signed };
}

function findRoles(
  partitions: readonly NumberedPartition[],
): { readonly designator: Ddi["designator"] } & Readonly<Record<Role, NumberedPartition>> {
  const designator = DESIGNATORS.find((each) => partitions.some(({ type }) => type === DDI_TYPES[each].data));
  if (designator === undefined) malformed("expected a root or usr partition for x86-64, found none");
  const types = DDI_TYPES[designator];
  const find = (role: Role): NumberedPartition => {
    const [found, other] = partitions.filter(({ type }) => type === types[role]);
    if (found === undefined || other !== undefined) malformed(`expected one ${designator} ${role} partition`);
    // systemd passes over such partitions.
    if ((found.attributes & PARTITION_ATTRIBUTES.noAuto) !== 0n)
      malformed(`${role} partition: expected no "noauto" flag`);
    return found;
  };
  if (partitions.length !== ROLES.length) malformed(`expected ${ROLES.length} partitions, found ${partitions.length}`);
  return { designator, data: find("data"), tree: find("tree"), signature: find("signature") };
}

function readSigned(read: ReadBytes, { offsetBytes, sizeBytes }: DdiPartition): SignedRootHash {
  // One byte more tells that it is too long without reading it all.
  return parseSignaturePartition(read(offsetBytes, Math.min(sizeBytes, MAX_SIGNATURE_PARTITION_BYTES + 1)));
}

/** The tree must cover the whole data partition: what it leaves out could be anything. */
function readSuperblock(read: ReadBytes, data: DdiPartition, tree: DdiPartition): VeritySuperblock {
  const superblock = parseVeritySuperblock(read(tree.offsetBytes, Math.min(SUPERBLOCK_BYTES, tree.sizeBytes)));
  const { algorithm, dataBlocks, dataBlockSizeBytes, hashBlockSizeBytes } = superblock;
  if (algorithm !== "sha256") malformed(`hash tree: expected sha256, found ${algorithm}`);
  if (dataBlockSizeBytes !== BLOCK_BYTES || hashBlockSizeBytes !== BLOCK_BYTES) {
    malformed(
      `hash tree: expected blocks of ${BLOCK_BYTES} bytes, found ${dataBlockSizeBytes} and ${hashBlockSizeBytes}`,
    );
  }
  if (dataBlocks * BLOCK_BYTES !== data.sizeBytes) {
    malformed(`hash tree: expected one over ${data.sizeBytes} bytes of data, found ${dataBlocks * BLOCK_BYTES}`);
  }
  const { hashSizeBytes } = verityLayout(superblock);
  if (hashSizeBytes > tree.sizeBytes) {
    malformed(`hash tree: expected room for ${hashSizeBytes} bytes, found ${tree.sizeBytes}`);
  }
  return superblock;
}

function expectUuid(what: string, expected: Guid, { uuid }: NumberedPartition): void {
  if (uuid === expected) return;
  throw new AshlarError("invalid", `DDI: expected UUID ${expected} of the ${what} partition, found ${uuid}`, {
    hint: "the signature is of another image",
  });
}

function placeOf({ number, firstLba, lastLba }: NumberedPartition): DdiPartition {
  return { number, offsetBytes: firstLba * SECTOR_BYTES, sizeBytes: (lastLba - firstLba + 1) * SECTOR_BYTES };
}

function malformed(message: string): never {
  throw new AshlarError("malformed", `DDI: ${message}`);
}
