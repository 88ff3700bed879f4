/** Reads FAT32 as simple firmware does: the first table, no repairs, nothing where a chain does not hold together. */

type Fat = {
  readonly disk: Buffer;
  readonly tableOffset: number;
  readonly dataOffset: number;
  readonly clusterBytes: number;
  readonly rootCluster: number;
};

type Entry = {
  readonly name: string;
  readonly cluster: number;
  readonly sizeBytes: number;
  readonly isDirectory: boolean;
};

/** The file at a path in the ASCII spelling that the disk has; undefined when it is not there, or not whole. */
export function readFatFile(disk: Buffer, path: string): Buffer | undefined {
  const fat = openFat(disk);
  let entry: Entry = { name: "", cluster: fat.rootCluster, sizeBytes: 0, isDirectory: true };
  for (const name of path.split("/")) {
    const content = entry.isDirectory ? readChain(fat, entry.cluster) : undefined;
    const found = content && readDirectory(content).find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (found === undefined) return undefined;
    entry = found;
  }
  const content = readChain(fat, entry.cluster);
  return content === undefined || content.length < entry.sizeBytes ? undefined : content.subarray(0, entry.sizeBytes);
}

/** The BIOS parameter block (Microsoft's FAT specification, version 1.03, "Boot sector and BPB"). */
function openFat(disk: Buffer): Fat {
  const sectorBytes = disk.readUInt16LE(11);
  const tableOffset = disk.readUInt16LE(14) * sectorBytes;
  return {
    disk,
    tableOffset,
    dataOffset: tableOffset + disk.readUInt8(16) * disk.readUInt32LE(36) * sectorBytes,
    clusterBytes: disk.readUInt8(13) * sectorBytes,
    rootCluster: disk.readUInt32LE(44),
  };
}

function readChain({ disk, tableOffset, dataOffset, clusterBytes }: Fat, first: number): Buffer | undefined {
  const pieces: Buffer[] = [];
  const seen = new Set<number>();
  for (let cluster = first; cluster < 0x0f_ff_ff_f8;) {
    const offset = dataOffset + (cluster - 2) * clusterBytes;
    if (cluster < 2 || seen.has(cluster) || offset + clusterBytes > disk.length) return undefined;
    seen.add(cluster);
    pieces.push(disk.subarray(offset, offset + clusterBytes));
    cluster = disk.readUInt32LE(tableOffset + cluster * 4) & 0x0f_ff_ff_ff;
  }
  return Buffer.concat(pieces);
}

const ENTRY_BYTES = 32;
const LONG_NAME = 0x0f;
const DIRECTORY = 0x10;
const DELETED = 0xe5;

/** The same specification, "FAT long directory entries". */
function readDirectory(content: Buffer): Entry[] {
  const entries: Entry[] = [];
  let longName = "";
  for (let offset = 0; offset < content.length && content[offset] !== 0; offset += ENTRY_BYTES) {
    const raw = content.subarray(offset, offset + ENTRY_BYTES);
    if (raw[0] === DELETED) longName = "";
    else if (raw[11] === LONG_NAME) {
      const units = Buffer.concat([raw.subarray(1, 11), raw.subarray(14, 26), raw.subarray(28, 32)]);
      longName = (units.toString("utf16le").split("\0", 1)[0] ?? "") + longName;
    } else {
      const [base, extension] = [raw.toString("latin1", 0, 8).trimEnd(), raw.toString("latin1", 8, 11).trimEnd()];
      entries.push({
        name: longName === "" ? [base, extension].filter((part) => part !== "").join(".") : longName,
        cluster: raw.readUInt16LE(20) * 0x1_00_00 + raw.readUInt16LE(26),
        sizeBytes: raw.readUInt32LE(28),
        isDirectory: ((raw[11] ?? 0) & DIRECTORY) !== 0,
      });
      longName = "";
    }
  }
  return entries;
}
