import { ByteReader } from "../byte-reader.ts";
import { FIRMWARE_EVENT_TYPES as TYPES } from "./event-types.ts";
import { isStartupLocality, parseFirmwareLog } from "./firmware-log.ts";

/** Their data say how to read the log, or are the same on every machine of a model. */
const KEPT: ReadonlySet<number> = new Set([
  TYPES.EV_SEPARATOR,
  TYPES.EV_ACTION,
  TYPES.EV_EFI_ACTION,
  TYPES.EV_S_CRTM_VERSION,
]);

/**
 * A firmware log with all its events, types and digests, without the data that may name a machine: serial numbers, addresses
 * of network cards, disks and boot entries.
 *
 * @throws AshlarError as `parseFirmwareLog`
 */
export function withoutEventData(log: Uint8Array): Uint8Array {
  parseFirmwareLog(log);
  const reader = new ByteReader(log, "firmware log", "little-endian");
  reader.skip(28, "header");
  const sizes = algorithmSizes(reader.bytes(reader.u32("header.eventSize"), "header.event"));
  const parts: Uint8Array[] = [log.subarray(0, reader.offset)];
  while (reader.remaining > 0) {
    const start = reader.offset;
    reader.u32("pcrIndex");
    const type = reader.u32("eventType");
    const count = reader.u32("digests.count");
    for (let index = 0; index < count; index++) reader.skip(sizes.get(reader.u16("digests.hashAlg")) ?? 0, "digest");
    const end = reader.offset;
    const data = reader.bytes(reader.u32("eventSize"), "event");
    // Other records that extend nothing are a maker's own, and may say anything.
    if (KEPT.has(type) || (type === TYPES.EV_NO_ACTION && isStartupLocality(data)))
      parts.push(log.subarray(start, reader.offset));
    else parts.push(log.subarray(start, end), new Uint8Array(4));
  }
  return Buffer.concat(parts);
}

/** The header's table, which `parseFirmwareLog` has checked: signature, class, version, then algorithms (10.4.5.1). */
function algorithmSizes(specId: Uint8Array): Map<number, number> {
  const reader = new ByteReader(specId, "TCG_EfiSpecIdEvent", "little-endian");
  reader.skip(24, "signature, platformClass, specVersion, uintnSize");
  const count = reader.u32("numberOfAlgorithms");
  return new Map(Array.from({ length: count }, () => [reader.u16("algorithmId"), reader.u16("digestSize")] as const));
}
