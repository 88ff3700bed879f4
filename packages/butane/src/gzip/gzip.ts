import { crc32 } from "./crc32.ts";
import { deflate } from "./deflate.ts";

/**
 * Compresses as gzip (RFC 1952) with the bytes that Go's `compress/gzip` writes at its best level, so that a config has
 * one form whichever program made it, and no dependency decides its size.
 */
export function gzip(bytes: Uint8Array): Uint8Array {
  const body = deflate(bytes);
  const file = new Uint8Array(HEADER.length + body.length + 8);
  file.set(HEADER);
  file.set(body, HEADER.length);
  const trailer = new DataView(file.buffer, HEADER.length + body.length);
  trailer.setUint32(0, crc32(bytes), true);
  trailer.setUint32(4, bytes.length % 2 ** 32, true);
  return file;
}

/** Magic, deflate, no flags, no time, "slowest algorithm", unknown operating system (RFC 1952, section 2.3.1). */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255);
