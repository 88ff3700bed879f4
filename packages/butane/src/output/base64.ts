/** Characters per call: a call takes only so many arguments. */
const CHUNK = 8192;

/** Base64 (RFC 4648, section 4) with padding. Browsers older than 2025 lack `Uint8Array.toBase64`. */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return btoa(binary);
}
