/** Looks into usr images, and damages them. */
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ErofsImage,
  findBlockOwners,
  listErofs,
  openErofs,
  readErofsContent,
  readErofsInode,
  SECTOR_BYTES,
} from "@ashlar/formats";
import { runForText } from "@ashlar/host";

const BLOCK_BYTES = 4096;

/** The contents of files, by their paths without a slash at the beginning. */
export async function readUsrFiles(imagePath: string, paths: readonly string[]): Promise<Map<string, Buffer>> {
  const image = await openUsr(imagePath);
  const { entries } = listErofs(image);
  return new Map(
    paths.map((path) => {
      const entry = entries.find((each) => each.path === `/${path}`);
      if (entry === undefined) throw new TypeError(`${imagePath} has no ${path}`);
      const pieces: Uint8Array[] = [];
      readErofsContent(image, readErofsInode(image, entry.nid), (piece) => pieces.push(piece));
      return [path, Buffer.concat(pieces)];
    }),
  );
}

/** The first block that holds data of one file alone, in the usr image of an image directory. */
export async function findBlockOf(imageDirectory: string, path: string): Promise<number> {
  const image = await openUsr(join(imageDirectory, "usr.erofs"));
  const all = Array.from({ length: image.sizeBytes / BLOCK_BYTES }, (_, block) => block);
  for (const [block, owners] of findBlockOwners(image, all).owners) {
    if (owners.length === 1 && owners[0]?.path === `/${path}` && owners[0].part === "data") return block;
  }
  throw new TypeError(`${imageDirectory} has no block of ${path} alone`);
}

/** Changes one bit in the slot of a release on the disk of a node that is off. */
export async function flipUsrBit(diskPath: string, version: string, block: number): Promise<void> {
  const table: { partitiontable: { partitions: { name: string; start: number }[] } } = JSON.parse(
    await runForText("sfdisk", ["--json", diskPath]),
  );
  const slot = table.partitiontable.partitions.find(({ name }) => name === `ashlar_${version}`);
  if (slot === undefined) throw new TypeError(`${diskPath} has no slot with ${version}`);
  await using disk = await open(diskPath, "r+");
  const byte = Buffer.alloc(1);
  const position = slot.start * SECTOR_BYTES + block * BLOCK_BYTES + BLOCK_BYTES / 2;
  await disk.read(byte, 0, 1, position);
  await disk.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, position);
}

async function openUsr(path: string): Promise<ErofsImage> {
  const bytes = await readFile(path);
  return openErofs((offset, size) => bytes.subarray(offset, offset + size), bytes.length);
}
