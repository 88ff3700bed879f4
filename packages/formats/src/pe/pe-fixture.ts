/** Builds small PE32+ files for tests. */
export type FixtureSection = { readonly name: string; readonly data: Uint8Array; readonly virtualSize?: number };

const PE_OFFSET = 0x80;
const OPTIONAL_HEADER_BYTES = 240;
const FILE_ALIGNMENT = 512;

type PeField =
  | "lfanew"
  | "signature"
  | "sectionCount"
  | "optionalHeaderSize"
  | "magic"
  | "sizeOfHeaders"
  | "checkSum"
  | "directoryCount"
  | "certificateEntry"
  | "sectionTable";

/** Offsets of fields in what {@link buildPe} makes. */
export const PE_FIELDS: Readonly<Record<PeField, number>> = {
  lfanew: 0x3c,
  signature: PE_OFFSET,
  sectionCount: PE_OFFSET + 6,
  optionalHeaderSize: PE_OFFSET + 20,
  magic: PE_OFFSET + 24,
  sizeOfHeaders: PE_OFFSET + 24 + 60,
  checkSum: PE_OFFSET + 24 + 64,
  directoryCount: PE_OFFSET + 24 + 108,
  certificateEntry: PE_OFFSET + 24 + 112 + 32,
  sectionTable: PE_OFFSET + 24 + OPTIONAL_HEADER_BYTES,
};

export function buildPe(sections: readonly FixtureSection[], certificates: Uint8Array = new Uint8Array()): Buffer {
  const headersSize = roundUp(PE_FIELDS.sectionTable + sections.length * 40);
  const header = Buffer.alloc(headersSize);
  header.write("MZ", 0, "latin1");
  header.writeUInt32LE(PE_OFFSET, PE_FIELDS.lfanew);
  header.write("PE\0\0", PE_OFFSET, "latin1");
  header.writeUInt16LE(0x8664, PE_OFFSET + 4);
  header.writeUInt16LE(sections.length, PE_FIELDS.sectionCount);
  header.writeUInt16LE(OPTIONAL_HEADER_BYTES, PE_FIELDS.optionalHeaderSize);
  header.writeUInt16LE(0x0202, PE_OFFSET + 22);
  header.writeUInt16LE(0x020b, PE_FIELDS.magic);
  header.writeUInt32LE(4096, PE_OFFSET + 24 + 32);
  header.writeUInt32LE(FILE_ALIGNMENT, PE_OFFSET + 24 + 36);
  header.writeUInt32LE(4096 * (sections.length + 1), PE_OFFSET + 24 + 56);
  header.writeUInt32LE(headersSize, PE_FIELDS.sizeOfHeaders);
  header.writeUInt32LE(0x1234_5678, PE_FIELDS.checkSum);
  header.writeUInt16LE(10, PE_OFFSET + 24 + 68);
  header.writeUInt32LE(16, PE_FIELDS.directoryCount);
  const parts: Buffer[] = [header];
  let offset = headersSize;
  for (const [index, section] of sections.entries()) {
    const entry = PE_FIELDS.sectionTable + index * 40;
    const rawSize = roundUp(section.data.length);
    header.write(section.name, entry, "latin1");
    header.writeUInt32LE(section.virtualSize ?? section.data.length, entry + 8);
    header.writeUInt32LE(4096 * (index + 1), entry + 12);
    header.writeUInt32LE(rawSize, entry + 16);
    header.writeUInt32LE(rawSize === 0 ? 0 : offset, entry + 20);
    header.writeUInt32LE(0x4000_0040, entry + 36);
    parts.push(Buffer.concat([section.data, Buffer.alloc(rawSize - section.data.length)]));
    offset += rawSize;
  }
  if (certificates.length > 0) {
    header.writeUInt32LE(offset, PE_FIELDS.certificateEntry);
    header.writeUInt32LE(certificates.length, PE_FIELDS.certificateEntry + 4);
    parts.push(Buffer.from(certificates));
  }
  return Buffer.concat(parts);
}

function roundUp(size: number): number {
  return Math.ceil(size / FILE_ALIGNMENT) * FILE_ALIGNMENT;
}
