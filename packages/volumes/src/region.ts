import { readSync, type Stats } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { AshlarError, messageOf } from "@ashlar/base";

/** A part of a file, for example a partition of a disk image. Default: the whole file. */
export type Region = { readonly path: string; readonly offsetBytes?: number; readonly sizeBytes?: number };

export type OpenRegion = { readonly handle: FileHandle; readonly offsetBytes: number; readonly sizeBytes: number };

/**
 * Opens a file for reading and checks that it holds the region.
 *
 * @throws AshlarError `not-found`, `invalid`
 */
export async function openRegion({ path, offsetBytes = 0, sizeBytes }: Region): Promise<OpenRegion> {
  const handle = await openFile(path, "r");
  try {
    const size = await sizeOf(handle);
    const available = Math.max(0, size - offsetBytes);
    if (sizeBytes !== undefined && sizeBytes > available) {
      throw new AshlarError("invalid", `${path}: expected ${offsetBytes + sizeBytes} bytes, found ${size}`);
    }
    return { handle, offsetBytes, sizeBytes: sizeBytes ?? available };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @throws AshlarError `not-found`, `invalid` when it is neither a regular file nor a block device */
export async function openFile(path: string, flags: "r" | "r+" | "w+"): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, flags);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new AshlarError(code === "ENOENT" ? "not-found" : "invalid", `cannot open ${path}: ${code}`, {
      cause: error,
    });
  }
  const stat = await handle.stat();
  if (stat.isFile() || stat.isBlockDevice()) return handle;
  await handle.close();
  throw new AshlarError("invalid", `${path}: expected a regular file or a block device`);
}

const SECTOR_BYTES = 512;

/** The size of a regular file or, as the kernel tells it in sectors of 512 bytes, of a block device. */
export async function sizeOf(handle: FileHandle): Promise<number> {
  const stat = await handle.stat();
  if (!stat.isBlockDevice()) return stat.size;
  return Number(await readFile(`${sysDirectory(stat)}/size`, "utf8")) * SECTOR_BYTES;
}

/** The size of the sectors by which a disk is addressed; undefined of a file or a partition. */
export async function sectorSizeOf(handle: FileHandle): Promise<number | undefined> {
  const stat = await handle.stat();
  if (!stat.isBlockDevice()) return undefined;
  const text = await readFile(`${sysDirectory(stat)}/queue/logical_block_size`, "utf8").catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}

/** What the kernel tells of a block device. */
function sysDirectory({ rdev }: Stats): string {
  const [major, minor] = [(rdev >>> 8) & 0xfff, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)];
  return `/sys/dev/block/${major}:${minor}`;
}

/**
 * Reads exactly `sizeBytes` at an offset inside the region.
 *
 * @throws AshlarError `invalid` when the region ends before; `failed` when the disk cannot be read
 */
export async function readRegion(
  region: OpenRegion,
  offsetBytes: number,
  sizeBytes: number,
): Promise<Buffer<ArrayBuffer>> {
  const bytes = Buffer.alloc(sizeBytes);
  let done = 0;
  while (done < sizeBytes && offsetBytes + sizeBytes <= region.sizeBytes) {
    const position = region.offsetBytes + offsetBytes + done;
    const bytesRead = await readSome(region.handle, bytes.subarray(done), position);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  if (done === sizeBytes) return bytes;
  throw new AshlarError("invalid", `expected ${sizeBytes} bytes at offset ${offsetBytes}, found ${done}`);
}

async function readSome(handle: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  try {
    return (await handle.read(bytes, 0, bytes.length, position)).bytesRead;
  } catch (error) {
    throw new AshlarError("failed", `cannot read ${bytes.length} bytes at offset ${position}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Gives a function that reads exactly so many bytes at an offset inside the region, for parsers without I/O.
 *
 * @param reused memory for large pieces that fit it: they are good until the next one is read. Fresh memory for each takes
 * longer than to read it.
 */
export function readRegionSync(
  region: OpenRegion,
  reused?: Buffer,
): (offsetBytes: number, sizeBytes: number) => Uint8Array {
  return (offsetBytes, sizeBytes) => {
    const isLarge = reused !== undefined && sizeBytes >= LARGE_BYTES && sizeBytes <= reused.length;
    const bytes = isLarge ? reused.subarray(0, sizeBytes) : Buffer.allocUnsafe(sizeBytes);
    const found = readSync(region.handle.fd, bytes, 0, sizeBytes, region.offsetBytes + offsetBytes);
    if (found === sizeBytes) return bytes;
    throw new AshlarError("invalid", `expected ${sizeBytes} bytes at offset ${offsetBytes}, found ${found}`);
  };
}

/** Larger than anything that a parser looks at while it reads on. */
const LARGE_BYTES = 128 * 1024;
