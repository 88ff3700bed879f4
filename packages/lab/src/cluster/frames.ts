import { AshlarError } from "@ashlar/base";

/** Before each frame its length: 4 bytes, big-endian (QEMU, net/stream.c). */
export const PREFIX_BYTES = 4;
/** Destination, source, type (IEEE 802.3, clause 3.1.1). Shorter ones say nothing about where they go. */
export const HEADER_BYTES = 14;
/** The largest packet of IP with its header. A longer frame is none that a card sends. */
export const MAX_FRAME_BYTES: number = HEADER_BYTES + 65_535;

export type Frames = {
  /** Each with its prefix. */
  readonly frames: readonly Buffer[];
  /** The beginning of the next one: fewer bytes than the longest frame has. */
  readonly rest: Buffer;
};

/**
 * Takes whole frames off what a machine has sent so far.
 *
 * @throws AshlarError `limit` for a length that no card's frame has: where the next one begins cannot be known any more
 */
export function splitFrames(bytes: Buffer): Frames {
  const frames: Buffer[] = [];
  let start = 0;
  while (bytes.length - start >= PREFIX_BYTES) {
    const length = bytes.readUInt32BE(start);
    if (length > MAX_FRAME_BYTES) {
      throw new AshlarError("limit", `expected a frame of at most ${MAX_FRAME_BYTES} bytes, found one of ${length}`);
    }
    const end = start + PREFIX_BYTES + length;
    if (end > bytes.length) break;
    frames.push(bytes.subarray(start, end));
    start = end;
  }
  return { frames, rest: bytes.subarray(start) };
}
