/**
 * The reference's texts are bytes, and some of them may be no UTF-8. Here each such byte is a lone surrogate, U+DC80 to
 * U+DCFF, so that nothing is lost: no other text has these.
 */
export function textOfBytes(bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  let start = 0;
  for (let next = 0; next < bytes.length;) {
    const length = sequenceLength(bytes, next);
    if (length === 0) {
      text += decoder.decode(bytes.subarray(start, next)) + String.fromCharCode(0xdc_00 + (bytes[next] ?? 0));
      start = next + 1;
    }
    next += Math.max(length, 1);
  }
  return text + decoder.decode(bytes.subarray(start));
}

export function bytesOfText(text: string): Uint8Array {
  const encoder = new TextEncoder();
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes: Uint8Array[] = [];
  let size = 0;
  const parts = text.split(/(?<byte>[\udc80-\udcff])/u);
  for (const [index, part] of parts.entries()) {
    const encoded = index % 2 === 0 ? encoder.encode(part) : Uint8Array.of(part.charCodeAt(0) - 0xdc_00);
    bytes.push(encoded);
    size += encoded.length;
  }
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const part of bytes) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** How many bytes the character at `start` has; 0 if there is none (The Unicode Standard, table 3-7). */
function sequenceLength(bytes: Uint8Array, start: number): number {
  const first = bytes[start] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let index = start + 1; index < start + length; index += 1) {
    const [lowest, highest] = index === start + 1 ? secondByte(first) : [0x80, 0xbf];
    const byte = bytes[index] ?? 0;
    if (byte < lowest || byte > highest) return 0;
  }
  return length;
}

function secondByte(first: number): readonly [lowest: number, highest: number] {
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  return [lowest, highest];
}
