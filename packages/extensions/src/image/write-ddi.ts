import { hash, type KeyObject, X509Certificate } from "node:crypto";
import { open, rm, stat, truncate, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import {
  DDI_TYPES,
  type GptPartition,
  GPT_BACKUP_BYTES,
  PARTITION_ATTRIBUTES,
  partitionUuidsOf,
  SECTOR_BYTES,
  signRootHash,
  writeGpt,
  writeSignaturePartition,
} from "@ashlar/formats";
import { copyInto, formatVerity, uuidFor } from "@ashlar/volumes";
import type { BuildTree } from "@ashlar/debian";

export type ExtensionSigner = { readonly privateKey: KeyObject; readonly certificatePem: string };

export type DdiParts = {
  /** The tree that becomes the file system. */
  readonly tree: string;
  readonly name: string;
  readonly version: string;
  readonly signer: ExtensionSigner;
  readonly tools: Pick<BuildTree, "run">;
  readonly out: string;
};

/**
 * How files are compressed inside: not at all. What travels is compressed by the repository, in segments that a node need
 * not fetch when it has them; what is stored is read without work.
 */
const COMPRESSION: readonly string[] = [];
/** Of every file: 1980-01-01, the first day that zip archives can express. */
const FILE_TIME = 315_532_800;
const BLOCK_BYTES = 4096;
/** After the partition table, the first whole block. */
const DATA_OFFSET = 20_480;

/**
 * Writes a signed DDI: an erofs file system of a tree, its hash tree, the signature of its root hash. The same tree, name,
 * version and key give the same bytes.
 *
 * systemd-repart makes the same, but copies the file system twice, and wants the private key in a file.
 *
 * @returns the root hash in hexadecimal digits
 */
export async function writeDdi(parts: DdiParts): Promise<string> {
  const { name, version, out } = parts;
  const [fileSystem, hashPath] = [join(dirname(out), "file-system"), join(dirname(out), "hash-tree")];
  const dataBytes = await makeFileSystem(parts, fileSystem);
  const { rootHash, hashSizeBytes } = await formatVerity({
    data: fileSystem,
    hash: hashPath,
    // One for all versions: a node compares their trees to find the blocks that it has already.
    salt: Buffer.from(hash("sha256", `ashlar extension ${name}`), "hex"),
    uuid: uuidFor("extension tree", name),
    threads: availableParallelism(),
  });
  // mkfs.erofs 1.8.6 could begin at that place itself (--offset), but then writes directories of several blocks elsewhere.
  await writeFile(out, "");
  await copyInto(fileSystem, out, DATA_OFFSET);
  await rm(fileSystem);
  const certificate = new X509Certificate(parts.signer.certificatePem);
  const signed = signRootHash(rootHash, { privateKey: parts.signer.privateKey, certificate });
  const signature = writeSignaturePartition(signed);
  const { data: dataUuid, hash: hashUuid } = partitionUuidsOf(Buffer.from(rootHash, "hex"));
  const { layout, sizeBytes } = layOut([
    { role: "data", uuid: dataUuid, sizeBytes: dataBytes },
    { role: "tree", uuid: hashUuid, sizeBytes: hashSizeBytes },
    { role: "signature", uuid: uuidFor("extension signature", `${name} ${version}`), sizeBytes: signature.length },
  ]);
  const gpt = writeGpt({ diskGuid: uuidFor("extension", `${name} ${version}`), sizeBytes, partitions: layout });
  const [, tree, last] = layout;
  await using image = await open(out, "r+");
  await using hashFile = await open(hashPath, "r");
  await image.truncate(sizeBytes);
  await image.write(gpt.primary, 0, gpt.primary.length, 0);
  await image.write(await hashFile.readFile(), 0, hashSizeBytes, (tree?.firstLba ?? 0) * SECTOR_BYTES);
  await image.write(signature, 0, signature.length, (last?.firstLba ?? 0) * SECTOR_BYTES);
  await image.write(gpt.backup, 0, gpt.backup.length, sizeBytes - gpt.backup.length);
  return rootHash;
}

/** Makes the file system, of whole blocks, and gives its size. */
async function makeFileSystem({ tree, name, tools }: DdiParts, out: string): Promise<number> {
  await tools.run(
    "mkfs.erofs",
    [
      "--quiet",
      ...COMPRESSION,
      `-T${FILE_TIME}`,
      "--all-time",
      "--all-root",
      // No extended attributes: in an overlay they may hide what lies below.
      "-x-1",
      `-U${uuidFor("extension", name)}`,
      `/mnt/out/${basename(out)}`,
      "/mnt/tree",
    ],
    { binds: { "/mnt/tree": tree, "/mnt/out": dirname(out) } },
  );
  const dataBytes = Math.ceil((await stat(out)).size / BLOCK_BYTES) * BLOCK_BYTES;
  await truncate(out, dataBytes);
  return dataBytes;
}

type SizedPartition = {
  readonly role: keyof (typeof DDI_TYPES)["root"];
  readonly uuid: string;
  readonly sizeBytes: number;
};

/** systemd-repart's names. */
const LABELS = { data: "root-x86-64", tree: "root-x86-64-verity", signature: "root-x86-64-verity-sig" };

/** One after the other, each of whole blocks. */
function layOut(sized: readonly SizedPartition[]): { readonly layout: GptPartition[]; readonly sizeBytes: number } {
  let offset = DATA_OFFSET;
  const layout = sized.map(({ role, uuid, sizeBytes }) => {
    const firstLba = offset / SECTOR_BYTES;
    offset += sizeBytes;
    const attributes = PARTITION_ATTRIBUTES.readOnly;
    const lastLba = offset / SECTOR_BYTES - 1;
    return { type: DDI_TYPES.root[role], uuid, label: LABELS[role], firstLba, lastLba, attributes };
  });
  return { layout, sizeBytes: Math.ceil((offset + GPT_BACKUP_BYTES) / BLOCK_BYTES) * BLOCK_BYTES };
}
