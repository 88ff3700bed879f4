import { AshlarError } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { type HashName, hashNameOf, hashSizeBytes, hex16, MAX_DIGEST_BYTES } from "../tpm/hash-algorithm.ts";
import type { EventDigests } from "./event-digests.ts";
import { FIRMWARE_EVENT_TYPES } from "./event-types.ts";
import { MAX_LOG_BYTES, MAX_LOG_EVENTS, MAX_PCR } from "./limits.ts";

/** What firmware, boot loader and UKI stub extended, in order: the kernel's `binary_bios_measurements`. */
export type FirmwareLog = {
  /** Every event that extended a PCR. EV_NO_ACTION records extend nothing and are left out. */
  readonly events: readonly FirmwareEvent[];
  /**
   * The locality that started the TPM (0, 3 or 4): PCR 0 begins with it as its last byte. It is 4, whatever was recorded, when
   * the first event of PCR 0 is EV_EFI_HCRTM_EVENT, which a hardware root of trust measures before TPM2_Startup
   * (TPM 2.0 Library Part 1, H-CRTM Event Sequence).
   */
  readonly startupLocality: number;
};

/**
 * A TCG_PCR_EVENT2. Only `digests`, and the order of events within a PCR, are proved by a quote. `type` is never
 * proved; `data` only where its hash is the digest. Both are for messages.
 */
export type FirmwareEvent = {
  readonly pcr: number;
  readonly type: number;
  readonly digests: EventDigests;
  readonly data: Uint8Array;
};

type DigestSizes = ReadonlyMap<number, number>;

const { EV_NO_ACTION, EV_EFI_HCRTM_EVENT } = FIRMWARE_EVENT_TYPES;
const HCRTM_LOCALITY = 4;
/** PC Client Platform Firmware Profile 1.06, 10.4.5.1 and 10.4.5.3: signatures, with the NUL that ends them. */
const SPEC_ID_SIGNATURE = "Spec ID Event03\0";
const STARTUP_LOCALITY_SIGNATURE = "StartupLocality\0";
const SIGNATURE_BYTES = 16;
const SHA1_ID = 0x0004;
const SHA1_BYTES = 20;
/** A TCG_PCR_EVENT without its data: PCR, type, digest, size. */
const SHA1_RECORD_BYTES = 32;
/** The TCG's software stack takes at most 16 banks. */
const MAX_ALGORITHMS = 16;
const STARTUP_LOCALITIES: ReadonlySet<number> = new Set([0, 3, 4]);

/**
 * Parses a whole crypto-agile firmware log (little-endian; Profile 1.06, 10).
 *
 * @throws AshlarError `malformed`, or `limit` for more than 1 MiB or 8192 records.
 */
export function parseFirmwareLog(bytes: Uint8Array): FirmwareLog {
  if (bytes.length > MAX_LOG_BYTES) {
    throw new AshlarError("limit", `firmware log: expected at most ${MAX_LOG_BYTES} bytes, found ${bytes.length}`);
  }
  if (bytes.length === 0) {
    throw new AshlarError("malformed", "firmware log: expected records, found an empty log", {
      hint: "the kernel was given no log: is the TPM switched on in the firmware's set-up, and does the machine boot by UEFI?",
    });
  }
  refuseSha1Form(bytes);
  const reader = new ByteReader(bytes, "firmware log", "little-endian");
  const sizes = readHeader(reader);
  const events: FirmwareEvent[] = [];
  let startupLocality: number | undefined;
  let isHcrtm: boolean | undefined;
  for (let records = 0; reader.remaining > 0; records++) {
    if (records === MAX_LOG_EVENTS) {
      throw new AshlarError("limit", `firmware log: expected at most ${MAX_LOG_EVENTS} records, found more`);
    }
    const event = readEvent(reader, sizes);
    if (event.type === EV_NO_ACTION) {
      const locality = startupLocalityOf(event, reader);
      if (locality === undefined) continue;
      if (startupLocality !== undefined || isHcrtm === false) {
        reader.fail("StartupLocality: expected once, before PCR 0 is extended");
      }
      startupLocality = locality;
      continue;
    }
    if (event.pcr > MAX_PCR) reader.fail(`pcrIndex: expected at most ${MAX_PCR}, found ${event.pcr}`);
    if (event.pcr === 0) isHcrtm ??= event.type === EV_EFI_HCRTM_EVENT;
    events.push(event);
  }
  return { events, startupLocality: isHcrtm === true ? HCRTM_LOCALITY : (startupLocality ?? 0) };
}

/**
 * Refuses a log in the form of TPM 1.2 (10.2.1): from the first to the last byte records with one SHA-1 digest each. Kernels
 * hand it out when SHA-1 is all that firmware has switched on. The last one may be cut off, where the log's area was full.
 */
function refuseSha1Form(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let records = 0;
  for (let offset = 0; bytes.length - offset >= SHA1_RECORD_BYTES; records++) {
    const data = offset + SHA1_RECORD_BYTES;
    if (asciiOf(bytes.subarray(data, data + SIGNATURE_BYTES)) === SPEC_ID_SIGNATURE) return;
    if (view.getUint32(offset, true) > MAX_PCR) return;
    offset = data + view.getUint32(data - 4, true);
    if (offset === bytes.length || (offset > bytes.length && records >= MIN_WHOLE_RECORDS)) refuseSha1();
  }
  if (records > MIN_WHOLE_RECORDS) refuseSha1();
}

/** As many do not look like records by chance. */
const MIN_WHOLE_RECORDS = 3;

function refuseSha1(): never {
  throw new AshlarError("invalid", "firmware log: expected a SHA-256 digest for each event, found only SHA-1", {
    hint: "switch the TPM's SHA-256 or SHA-384 bank on in the firmware's set-up (PCR banks, or hash policy)",
  });
}

/** The first record has the older form with one SHA-1 digest and holds the TCG_EfiSpecIdEvent (10.4.5.1). */
function readHeader(reader: ByteReader): DigestSizes {
  const pcr = reader.u32("header.pcrIndex");
  const type = reader.u32("header.eventType");
  if (pcr !== 0 || type !== EV_NO_ACTION) reader.fail(`header: expected EV_NO_ACTION in PCR 0, found type ${type}`);
  if (reader.bytes(SHA1_BYTES, "header.digest").some((byte) => byte !== 0)) {
    reader.fail("header.digest: expected zeros");
  }
  const event = reader.bytes(reader.u32("header.eventSize"), "header.event");
  return readSpecId(new ByteReader(event, "firmware log's TCG_EfiSpecIdEvent", "little-endian"));
}

function readSpecId(reader: ByteReader): DigestSizes {
  if (asciiOf(reader.bytes(SIGNATURE_BYTES, "signature")) !== SPEC_ID_SIGNATURE) {
    reader.fail('signature: expected "Spec ID Event03", which marks a log with a digest for each bank');
  }
  reader.u32("platformClass");
  reader.u8("specVersionMinor");
  const major = reader.u8("specVersionMajor");
  if (major !== 2) reader.fail(`specVersionMajor: expected 2, found ${major}`);
  reader.u8("specErrata");
  reader.u8("uintnSize");
  const count = reader.u32("numberOfAlgorithms");
  if (count === 0 || count > MAX_ALGORITHMS) {
    reader.fail(`numberOfAlgorithms: expected 1 to ${MAX_ALGORITHMS}, found ${count}`);
  }
  const sizes = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const id = reader.u16("algorithmId");
    const sizeBytes = reader.u16("digestSize");
    if (sizes.has(id)) reader.fail(`algorithmId: ${hex16(id)} occurs twice`);
    const name = hashNameOf(id);
    const expected = name === undefined ? undefined : hashSizeBytes(name);
    if (sizeBytes === 0 || sizeBytes > MAX_DIGEST_BYTES || (expected !== undefined && sizeBytes !== expected)) {
      reader.fail(`digestSize: expected ${expected ?? `1 to ${MAX_DIGEST_BYTES}`}, found ${sizeBytes}`);
    }
    sizes.set(id, sizeBytes);
  }
  reader.skip(reader.u8("vendorInfoSize"), "vendorInfo");
  reader.end();
  if ([...sizes.keys()].every((id) => id === SHA1_ID)) refuseSha1();
  return sizes;
}

/** TCG_PCR_EVENT2 (10.2.2). A view into the log, not a copy. */
function readEvent(reader: ByteReader, sizes: DigestSizes): FirmwareEvent {
  const pcr = reader.u32("pcrIndex");
  const type = reader.u32("eventType");
  const count = reader.u32("digests.count");
  if (count > sizes.size) reader.fail(`digests.count: expected at most ${sizes.size}, found ${count}`);
  const digests: { -readonly [Name in HashName]?: Uint8Array } = {};
  const seen = new Set<number>();
  for (let index = 0; index < count; index++) {
    const id = reader.u16("digests.hashAlg");
    const sizeBytes = sizes.get(id) ?? reader.fail(`digests.hashAlg: ${hex16(id)} is not in the log's header`);
    if (seen.has(id)) reader.fail(`digests.hashAlg: ${hex16(id)} occurs twice`);
    seen.add(id);
    const digest = reader.bytes(sizeBytes, "digests.digest");
    const name = hashNameOf(id);
    if (name !== undefined) digests[name] = digest;
  }
  const data = reader.bytes(reader.u32("eventSize"), "event");
  return { pcr, type, digests, data };
}

/** Whether an EV_NO_ACTION record is a TCG_EfiStartupLocalityEvent (10.4.5.3). */
export function isStartupLocality(data: Uint8Array): boolean {
  return asciiOf(data.subarray(0, SIGNATURE_BYTES)) === STARTUP_LOCALITY_SIGNATURE;
}

/** TCG_EfiStartupLocalityEvent (10.4.5.3), or undefined when the record is another EV_NO_ACTION. */
function startupLocalityOf({ pcr, data }: FirmwareEvent, reader: ByteReader): number | undefined {
  if (!isStartupLocality(data)) return undefined;
  // coreboot's records are all of one size, so that more may follow.
  const locality = data[SIGNATURE_BYTES];
  if (pcr !== 0 || locality === undefined || !STARTUP_LOCALITIES.has(locality)) {
    reader.fail("StartupLocality: expected 0, 3 or 4 in one byte, for PCR 0");
  }
  return locality;
}

function asciiOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
