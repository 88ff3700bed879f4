import { AshlarError, printable } from "@ashlar/base";
import { ByteReader } from "../byte-reader.ts";
import { GUID_BYTES, guidFromBytes } from "../gpt/guid.ts";
import { devicePathText } from "./device-path.ts";
import { FIRMWARE_EVENT_TYPES as TYPES } from "./event-types.ts";
import type { FirmwareEvent } from "./firmware-log.ts";

const MAX_TEXT = 160;

/**
 * What an event says about itself, in a few words, for people: nothing proves its type, and its data only where their hash is
 * the digest (PC Client Platform Firmware Profile 1.06, 10.4 and 10.5). Never throws.
 */
export function describeFirmwareEvent({ type, data }: Pick<FirmwareEvent, "type" | "data">): string {
  const describe = DESCRIPTIONS.get(type);
  try {
    const text = describe?.(data) ?? textOf(data) ?? sizeOf(data);
    return printable(text).slice(0, MAX_TEXT);
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    return `${sizeOf(data)} in another form than this type has`;
  }
}

const DESCRIPTIONS: ReadonlyMap<number, (data: Uint8Array) => string | undefined> = new Map([
  [TYPES.EV_SEPARATOR, describeSeparator],
  [TYPES.EV_S_CRTM_VERSION, versionOf],
  [TYPES.EV_EFI_HCRTM_EVENT, () => "what a hardware root of trust measured before the TPM was started"],
  [TYPES.EV_EFI_PLATFORM_FIRMWARE_BLOB, describeBlob],
  [TYPES.EV_EFI_PLATFORM_FIRMWARE_BLOB2, describeNamedBlob],
  [TYPES.EV_EFI_HANDOFF_TABLES, () => "tables of the machine (SMBIOS, ACPI)"],
  [TYPES.EV_EFI_HANDOFF_TABLES2, () => "tables of the machine (SMBIOS, ACPI)"],
  [TYPES.EV_EFI_GPT_EVENT, () => "the partition table of the disk that is booted"],
  [TYPES.EV_EFI_GPT_EVENT2, () => "the partition table of the disk that is booted"],
  [TYPES.EV_CPU_MICROCODE, (data) => textOf(data) ?? "microcode"],
  ...[
    TYPES.EV_EFI_VARIABLE_DRIVER_CONFIG,
    TYPES.EV_EFI_VARIABLE_BOOT,
    TYPES.EV_EFI_VARIABLE_BOOT2,
    TYPES.EV_EFI_VARIABLE_AUTHORITY,
  ].map((type) => [type, describeVariable] as const),
  ...[
    TYPES.EV_EFI_BOOT_SERVICES_APPLICATION,
    TYPES.EV_EFI_BOOT_SERVICES_DRIVER,
    TYPES.EV_EFI_RUNTIME_SERVICES_DRIVER,
  ].map((type) => [type, describeImage] as const),
]);

function describeSeparator(data: Uint8Array): string {
  const hex = Buffer.from(data).toString("hex");
  if (hex === "00000000" || hex === "ffffffff") return "separator: the firmware hands over";
  return hex === "01000000" ? "separator: the firmware reports an error" : `separator with ${sizeOf(data)}`;
}

/** Often a GUID (10.5.1 asks for UTF-16), sometimes text. */
function versionOf(data: Uint8Array): string {
  const text = textOf(data);
  if (text !== undefined) return `version ${text}`;
  return data.length === GUID_BYTES ? `version ${guidFromBytes(data)}` : `version, ${sizeOf(data)}`;
}

function describeBlob(data: Uint8Array): string | undefined {
  if (data.length !== 16) return undefined;
  const reader = new ByteReader(data, "UEFI_PLATFORM_FIRMWARE_BLOB", "little-endian");
  const base = reader.u64("blobBase");
  return `firmware, ${reader.u64("blobLength")} bytes at 0x${base.toString(16)}`;
}

function describeNamedBlob(data: Uint8Array): string {
  const reader = new ByteReader(data, "UEFI_PLATFORM_FIRMWARE_BLOB2", "little-endian");
  const name = asciiOf(reader.bytes(reader.u8("blobDescriptionSize"), "blobDescription"));
  return `firmware "${name}"`;
}

function describeVariable(data: Uint8Array): string {
  const reader = new ByteReader(data, "UEFI_VARIABLE_DATA", "little-endian");
  const vendor = guidFromBytes(reader.bytes(GUID_BYTES, "variableName"));
  const characters = reader.u64("unicodeNameLength");
  reader.u64("variableDataLength");
  const name = utf16Of(reader.bytes(Number(characters) * 2, "unicodeName"));
  return `variable ${name} (${vendor}), ${reader.remaining} bytes`;
}

function describeImage(data: Uint8Array): string {
  const reader = new ByteReader(data, "UEFI_IMAGE_LOAD_EVENT", "little-endian");
  reader.skip(24, "imageLocationInMemory, imageLengthInMemory, imageLinkTimeAddress");
  const lengthBytes = reader.u64("lengthOfDevicePath");
  const path = devicePathText(reader.bytes(Number(lengthBytes), "devicePath"));
  return path === "" ? "program of an unnamed place" : path;
}

function textOf(data: Uint8Array): string | undefined {
  const ascii = asciiOf(data).replace(/\0+$/u, "");
  if (ascii.length > 1 && /^[\x20-\x7e]+$/u.test(ascii)) return ascii;
  if (data.length < 4 || data.length % 2 === 1) return undefined;
  const wide = utf16Of(data);
  return wide.length > 1 && /^[\x20-\x7e]+$/u.test(wide) ? wide : undefined;
}

function asciiOf(data: Uint8Array): string {
  return Buffer.from(data.subarray(0, 4096)).toString("latin1");
}

function utf16Of(data: Uint8Array): string {
  return Buffer.from(data.subarray(0, 4096)).toString("utf16le").replace(/\0+$/u, "");
}

function sizeOf(data: Uint8Array): string {
  return `${data.length} ${data.length === 1 ? "byte" : "bytes"}`;
}
