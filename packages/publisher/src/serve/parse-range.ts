/** Bytes from `start` up to, but without, `end`. */
export type Range = { readonly start: number; readonly end: number };

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/u;

/**
 * What a Range header asks of a file (RFC 9110, section 14.2).
 *
 * @returns `whole` when there is no header, it is of another unit, malformed, or asks for several ranges, which a server
 *   may pass over; `unsatisfiable` when it begins behind the end
 */
export function parseRange(header: string | undefined, sizeBytes: number): Range | "whole" | "unsatisfiable" {
  const [, first, last] = ONE_RANGE.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return "whole";
  if (first === "") {
    const suffix = Math.min(Number(last), sizeBytes);
    return suffix === 0 ? "unsatisfiable" : { start: sizeBytes - suffix, end: sizeBytes };
  }
  const start = Number(first);
  const end = last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== "" && Number(last) < start) return "whole";
  return start >= sizeBytes ? "unsatisfiable" : { start, end };
}
