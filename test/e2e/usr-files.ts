/** Looks into usr images, and damages them. */
import { open, readFile } from "node:fs/promises";
import {
  type ErofsImage,
  findBlockOwners,
  listErofs,
  openErofs,
  readErofsContent,
  readErofsInode,
} from "@ashlar/formats";

export const BLOCK_BYTES = 4096;

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

/** The first block that holds data of one file alone. */
export async function findBlockOf(imagePath: string, path: string): Promise<number> {
  const image = await openUsr(imagePath);
  const all = Array.from({ length: image.sizeBytes / BLOCK_BYTES }, (_, block) => block);
  for (const [block, owners] of findBlockOwners(image, all).owners) {
    if (owners.length === 1 && owners[0]?.path === `/${path}` && owners[0].part === "data") return block;
  }
  throw new TypeError(`${imagePath} has no block of ${path} alone`);
}

/** Changes one bit of a file. */
export async function flipBit(path: string, offsetBytes: number): Promise<void> {
  await using file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, offsetBytes);
  await file.write(Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, offsetBytes);
}

async function openUsr(path: string): Promise<ErofsImage> {
  const bytes = await readFile(path);
  return openErofs((offset, size) => bytes.subarray(offset, offset + size), bytes.length);
}
