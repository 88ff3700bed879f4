/** Every write to a disk of a virtual machine, in the order in which the machine made them. */
import { readFile } from "node:fs/promises";
import { SECTOR_BYTES } from "@ashlar/formats";

export type DiskWrite = { readonly sector: number; readonly data: Buffer };
/** What is written between two flushes: a disk may keep any of it over a power cut, and lose any. */
export type Epoch = readonly DiskWrite[];

/** The format of QEMU's driver `blklogwrites`, which is that of Linux's dm-log-writes. */
const MAGIC = 0x6a_73_66_77_73_68_72n;
const ENTRY_BYTES = 32;
const FLAGS = { flush: 1, fua: 2, discard: 4, mark: 8 } as const;

export async function readWriteLog(path: string): Promise<Epoch[]> {
  const log = await readFile(path);
  const sectorBytes = log.readUInt32LE(24);
  if (log.readBigUInt64LE(0) !== MAGIC || sectorBytes !== SECTOR_BYTES)
    throw new TypeError(`${path}: no log of writes`);
  const count = Number(log.readBigUInt64LE(16));
  const epochs: DiskWrite[][] = [[]];
  for (let position = sectorBytes, index = 0; index < count; index++) {
    const entry = log.subarray(position, position + ENTRY_BYTES);
    const [sector = 0, sectors = 0, flags = 0] = [0, 8, 16].map((offset) => Number(entry.readBigUInt64LE(offset)));
    position += sectorBytes;
    if ((flags & (FLAGS.flush | FLAGS.fua)) !== 0) epochs.push([]);
    // The sectors of a discard are named, but have no data.
    if ((flags & (FLAGS.discard | FLAGS.mark)) !== 0 || sectors === 0) continue;
    const end = position + sectors * sectorBytes;
    if (end > log.length) throw new TypeError(`${path} ends within a write`);
    epochs.at(-1)?.push({ sector, data: log.subarray(position, end) });
    position = end;
  }
  return epochs.filter((epoch) => epoch.length > 0);
}

/** Each as a disk writes it: a sector is all old or all new, and nothing larger is. */
export function sectorsOf({ sector, data }: DiskWrite): DiskWrite[] {
  return Array.from({ length: data.length / SECTOR_BYTES }, (_, index) => ({
    sector: sector + index,
    data: data.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES),
  }));
}
