import { AshlarError } from "@ashlar/base";

/**
 * Decompresses an LZ4 block ("LZ4 Block Format Description") that gives exactly `sizeBytes`. What follows in `input` once
 * that many bytes are there is not looked at: erofs may want only the beginning.
 *
 * @throws AshlarError `malformed`
 */
export function decompressLz4Block(input: Uint8Array, sizeBytes: number): Buffer {
  const output = Buffer.allocUnsafe(sizeBytes);
  let [read, written] = [0, 0];
  for (;;) {
    const token = input[read++];
    if (token === undefined) malformed(`${sizeBytes} bytes`, String(written));
    let literals = token >>> 4;
    if (literals === LENGTH_GOES_ON) {
      const more = extension(input, read);
      literals += more;
      read += extensionBytes(more);
    }
    literals = Math.min(literals, sizeBytes - written);
    if (read + literals > input.length) malformed(`${literals} literals`, String(input.length - read));
    output.set(input.subarray(read, read + literals), written);
    read += literals;
    written += literals;
    if (written === sizeBytes) return output;

    const [low, high] = [input[read], input[read + 1]];
    if (low === undefined || high === undefined) malformed(`${sizeBytes} bytes`, String(written));
    read += 2;
    const distance = low | (high << 8);
    if (distance === 0 || distance > written) malformed(`a match within ${written} bytes`, `distance ${distance}`);
    let length = (token & 15) + MIN_MATCH_BYTES;
    if ((token & 15) === LENGTH_GOES_ON) {
      const more = extension(input, read);
      length += more;
      read += extensionBytes(more);
    }
    length = Math.min(length, sizeBytes - written);
    copyMatch(output, written, distance, length);
    written += length;
    if (written === sizeBytes) return output;
  }
}

const LENGTH_GOES_ON = 15;
const MIN_MATCH_BYTES = 4;

/**
 * How much a length goes on by: bytes are added up to and with the first that is not 255. A function of its own that changes
 * no variable of the loop: with one that did, V8 14 compiled the loop so that now and then a literal came from a byte too early.
 */
function extension(input: Uint8Array, start: number): number {
  let total = 0;
  for (let at = start; ; at++) {
    const byte = input[at];
    if (byte === undefined) malformed("a whole length", "the end");
    total += byte;
    if (byte !== 255) return total;
  }
}

/** In how many bytes that was written. */
function extensionBytes(more: number): number {
  return Math.floor(more / 255) + 1;
}

/** A match may overlap what it makes: then it repeats. */
function copyMatch(output: Buffer, at: number, distance: number, length: number): void {
  if (distance >= length) {
    output.copyWithin(at, at - distance, at - distance + length);
    return;
  }
  for (let index = at; index < at + length; index++) {
    const byte = output[index - distance];
    if (byte !== undefined) output[index] = byte;
  }
}

function malformed(expected: string, found: string): never {
  throw new AshlarError("malformed", `LZ4 block: expected ${expected}, found ${found}`);
}
