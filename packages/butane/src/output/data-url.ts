import { gzip } from "../gzip/gzip.ts";
import { toBase64 } from "./base64.ts";

/** What Ignition is told to fetch, without fetching. `compression` is what has to be undone after decoding the URL. */
export type DataUrl = { readonly source: string; readonly compression: string };

/**
 * The shortest of the three ways in which the reference writes bytes into a URL: escaped, base64, or base64 of gzip.
 * `compression` is what the user says the bytes are compressed with already, which rules out doing it again.
 */
export function dataUrl(bytes: Uint8Array, compression: string | undefined): DataUrl {
  let best = `,${escapeBytes(bytes)}`;
  if (BASE64_PREFIX.length + base64Length(bytes.length) < best.length) best = BASE64_PREFIX + toBase64(bytes);
  if (compression !== undefined && compression !== "") return { source: `data:${best}`, compression };
  if (worthCompressing(bytes.length, best.length)) {
    const compressed = gzip(bytes);
    // Naming the compression in the config costs its four letters.
    if (BASE64_PREFIX.length + base64Length(compressed.length) + "gzip".length < best.length) {
      return { source: `data:${BASE64_PREFIX}${toBase64(compressed)}`, compression: "gzip" };
    }
  }
  return { source: `data:${best}`, compression: "" };
}

const BASE64_PREFIX = ";base64,";

/** Header, trailer and the smallest possible blocks of a gzip file. */
const SMALLEST_GZIP_BYTES = 10 + 8 + 7;

function worthCompressing(sizeBytes: number, bestLength: number): boolean {
  return sizeBytes > 0 && BASE64_PREFIX.length + base64Length(SMALLEST_GZIP_BYTES) < bestLength;
}

function base64Length(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 3) * 4;
}

/** The bytes that stay as they are inside a URL (RFC 2396, section 2.3). */
const UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()";

/** Each byte's form inside a URL: itself, or its hexadecimal escape. */
const ESCAPES = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`);
for (const character of UNRESERVED) ESCAPES[character.charCodeAt(0)] = character;

function escapeBytes(bytes: Uint8Array): string {
  let escaped = "";
  for (const byte of bytes) escaped += ESCAPES[byte] ?? "";
  return escaped;
}
