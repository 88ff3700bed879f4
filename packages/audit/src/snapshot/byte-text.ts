import { isUtf8 } from "node:buffer";

/** A name as text from which its bytes can be told: what is not UTF-8 as `\xff`, a backslash as `\\`. */
export function byteText(bytes: Buffer): string {
  if (!isUtf8(bytes)) return escapeBytes(bytes);
  const text = bytes.toString("utf8");
  return text.includes("\\") ? text.replaceAll("\\", "\\\\") : text;
}

function escapeBytes(bytes: Buffer): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === BACKSLASH) text += "\\\\";
    else text += byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`;
  }
  return text;
}

const BACKSLASH = 0x5c;
