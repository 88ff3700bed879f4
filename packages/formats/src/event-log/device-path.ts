import { ByteReader } from "../byte-reader.ts";
import { GUID_BYTES, guidFromBytes } from "../gpt/guid.ts";

const MAX_NODES = 64;
const HEADER_BYTES = 4;
const [HARDWARE, ACPI, MESSAGING, MEDIA, END] = [0x01, 0x02, 0x03, 0x04, 0x7f];

/**
 * A UEFI device path as text, shortened to what tells where a program comes from: a file, a firmware volume, a card, a network
 * (UEFI 2.10, section 10.3).
 *
 * @throws AshlarError `malformed`
 */
export function devicePathText(bytes: Uint8Array): string {
  const reader = new ByteReader(bytes, "device path", "little-endian");
  const parts: string[] = [];
  for (let nodes = 0; reader.remaining > 0 && nodes < MAX_NODES; nodes++) {
    const type = reader.u8("type");
    const subtype = reader.u8("subtype");
    const sizeBytes = reader.u16("length");
    if (sizeBytes < HEADER_BYTES) reader.fail(`length: expected at least ${HEADER_BYTES}, found ${sizeBytes}`);
    const data = reader.bytes(sizeBytes - HEADER_BYTES, "node");
    if (type === END) break;
    parts.push(nodeText(type, subtype, data));
  }
  return parts.join("/");
}

function nodeText(type: number, subtype: number, data: Uint8Array): string {
  const name = NAMES.get((type << 8) | subtype);
  if (type === MEDIA && subtype === 4) return utf16(data).replaceAll("\\", "/").replace(/^\//u, "");
  if (name !== undefined && type === MEDIA && data.length === GUID_BYTES) return `${name}(${guidFromBytes(data)})`;
  if (type === HARDWARE && subtype === 1 && data.length === 2) return `Pci(${hex(data[1])},${hex(data[0])})`;
  return name ?? `Path(${type},${subtype})`;
}

/** Those that programs are loaded from; their names as in the specification's text form (10.6). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [(HARDWARE << 8) | 3, "MemoryMapped"],
  [(HARDWARE << 8) | 4, "VenHw"],
  [(ACPI << 8) | 1, "PciRoot"],
  [(MESSAGING << 8) | 5, "USB"],
  [(MESSAGING << 8) | 11, "MAC"],
  [(MESSAGING << 8) | 12, "IPv4"],
  [(MESSAGING << 8) | 13, "IPv6"],
  [(MESSAGING << 8) | 18, "Sata"],
  [(MESSAGING << 8) | 23, "NVMe"],
  [(MESSAGING << 8) | 24, "Uri"],
  [(MEDIA << 8) | 1, "HD"],
  [(MEDIA << 8) | 2, "CDROM"],
  [(MEDIA << 8) | 3, "VenMedia"],
  [(MEDIA << 8) | 6, "FvFile"],
  [(MEDIA << 8) | 7, "Fv"],
  [(MEDIA << 8) | 8, "Offset"],
]);

function utf16(data: Uint8Array): string {
  return Buffer.from(data).toString("utf16le").replace(/\0.*$/su, "");
}

function hex(value: number | undefined): string {
  return `0x${(value ?? 0).toString(16)}`;
}
