import { type BlocksIndex, blocksOfSegment } from "./blocks-layout.ts";

/** Segments that stand one after the other; `end` is the first that does not belong to them. */
export type SegmentRange = { readonly first: number; readonly end: number };

/** A request and its answer have headers of some 500 bytes: fetching as much for nothing costs the same. */
const MAX_GAP_BYTES = 1024;
/** So that several connections share the work, and a cut costs little. */
const MAX_RANGE_BYTES: number = 2 * 1024 * 1024;

/** The ranges of segments that hold the missing blocks. */
export function planRanges(index: BlocksIndex, isPresent: Uint8Array): readonly SegmentRange[] {
  const ranges: SegmentRange[] = [];
  let current: SegmentRange | undefined;
  const offsetOf = (segment: number): number => index.segmentOffsets[segment] ?? 0;
  for (let segment = 0; segment < index.segments; segment++) {
    if (!isSegmentMissing(index, isPresent, segment)) continue;
    const isNear =
      current !== undefined &&
      offsetOf(segment) - offsetOf(current.end) <= MAX_GAP_BYTES &&
      offsetOf(segment + 1) - offsetOf(current.first) <= MAX_RANGE_BYTES;
    if (current !== undefined && isNear) current = { first: current.first, end: segment + 1 };
    else {
      if (current !== undefined) ranges.push(current);
      current = { first: segment, end: segment + 1 };
    }
  }
  return current === undefined ? ranges : [...ranges, current];
}

/** Whether a block of the segment is missing. */
export function isSegmentMissing(index: BlocksIndex, isPresent: Uint8Array, segment: number): boolean {
  const { first, end } = blocksOfSegment(index, segment);
  return isPresent.subarray(first, end).includes(0);
}
