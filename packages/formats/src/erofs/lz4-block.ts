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
  /** A length goes on as long as bytes are 255. */
  const extend = (length: number): number => {
    if (length !== 15) return length;
    let total = length;
    for (;;) {
      const byte = input[read++];
      if (byte === undefined) malformed("a whole length", "the end");
      total += byte;
      if (byte !== 255) return total;
    }
  };
  for (;;) {
    const token = input[read++];
    if (token === undefined) malformed(`${sizeBytes} bytes`, String(written));
    const literals = Math.min(extend(token >>> 4), sizeBytes - written);
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
    const length = Math.min(extend(token & 15) + 4, sizeBytes - written);
    copyMatch(output, written, distance, length);
    written += length;
    if (written === sizeBytes) return output;
  }
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
