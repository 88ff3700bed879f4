import { AshlarError } from "@ashlar/base";
import type { DifferenceCode } from "./difference-codes.ts";

/** One way in which a node is not what was declared, in the user's terms. */
export type Difference = {
  /** For programs: decisions rest on it, never on the texts below. */
  readonly code: DifferenceCode;
  /** Which one, where there are several: a PCR's number, an extension's name, a section, a path. */
  readonly subject?: string;
  /** What differs: a PCR and the event or word in it, a file, a key. */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
};

/** Adds a difference unless both texts are the same. Tells whether they were. */
export function expectSame(
  differences: Difference[],
  code: DifferenceCode,
  what: string,
  expected: string,
  found: string,
): boolean {
  if (expected === found) return true;
  differences.push({ code, what, expected, found });
  return false;
}

/** Runs a parser over what a node said; its refusal becomes a difference and the result undefined. */
export function attempt<T>(
  differences: Difference[],
  code: DifferenceCode,
  what: string,
  expected: string,
  read: () => T,
): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AshlarError)) throw error;
    const found = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
    differences.push({ code, what, expected, found });
    return undefined;
  }
}

/** Bytes for a message: hexadecimal, shortened. */
export function shown(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.subarray(0, MAX_SHOWN_BYTES)).toString("hex");
  if (bytes.length === 0) return "nothing";
  return bytes.length > MAX_SHOWN_BYTES ? `${hex}... (${bytes.length} bytes)` : hex;
}

const MAX_SHOWN_BYTES = 64;
