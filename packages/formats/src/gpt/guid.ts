import { AshlarError } from "@ashlar/base";

/** A GUID as text: lower-case hexadecimal digits in the groups 8-4-4-4-12. */
export type Guid = string;

export const GUID_BYTES = 16;
const GUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u;

/** The bytes of a GUID as they stand on disk: the first three groups little-endian (UEFI 2.10, appendix A). */
export function guidToBytes(guid: Guid): Uint8Array {
  const bytes = uuidToBytes(guid);
  return swapGroups(bytes);
}

/** @throws RangeError when there are not 16 bytes */
export function guidFromBytes(bytes: Uint8Array): Guid {
  return uuidFromBytes(swapGroups(bytes));
}

/** The bytes of a UUID in the order of its text (RFC 9562, section 4), as dm-verity's superblock has them. */
export function uuidToBytes(uuid: string): Uint8Array {
  if (!GUID_TEXT.test(uuid)) {
    throw new AshlarError("invalid", `expected a UUID like 01234567-89ab-cdef-0123-456789abcdef, found ${uuid}`, {
      hint: "write it in lower-case hexadecimal digits",
    });
  }
  return new Uint8Array(Buffer.from(uuid.replaceAll("-", ""), "hex"));
}

/** @throws RangeError when there are not 16 bytes */
export function uuidFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== GUID_BYTES) throw new RangeError(`a UUID has ${GUID_BYTES} bytes, not ${bytes.length}`);
  const hex = Buffer.from(bytes).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, "$1-$2-$3-$4-$5");
}

function swapGroups(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(
    ...bytes.subarray(0, 4).toReversed(),
    ...bytes.subarray(4, 6).toReversed(),
    ...bytes.subarray(6, 8).toReversed(),
    ...bytes.subarray(8),
  );
}
