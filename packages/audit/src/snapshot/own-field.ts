import { AshlarError } from "@ashlar/base";
import type { Fields } from "./fields.ts";

/** What of a file is each node's own: the field OWN, `LINKS DEVICE INODE MTIME`. */
export type OwnField = {
  links: number;
  device: number;
  /** Where inode and time stand. */
  from: number;
  to: number;
};

const SPACE = 0x20;
const ZERO = 0x30;
const MAX_DIGITS = 20;
/** `INODE MTIME`, the time in seconds, which can be before 1970. */
const REST = /^(?<inode>\d{1,20}) (?<modified>-?\d{1,16}(?:\.\d{1,16})?)$/u;

/**
 * Reads it into an object that is there already: there are millions. Inode and time are looked at when somebody asks for them.
 *
 * @throws AshlarError `malformed`
 */
export function readOwn(fields: Fields, own: OwnField): void {
  const { bytes } = fields;
  const start = fields.offset;
  let at = start;
  own.links = 0;
  for (; bytes[at] !== SPACE; at += 1) own.links = own.links * 10 + digit(fields, start, at);
  at += 1;
  own.device = 0;
  for (; bytes[at] !== SPACE; at += 1) own.device = own.device * 10 + digit(fields, start, at);
  own.from = at + 1;
  at = own.from;
  while (bytes[at] !== 0) {
    if (at - start > 4 * MAX_DIGITS) throw malformed(fields, start);
    at += 1;
  }
  own.to = at;
  fields.offset = at + 1;
}

/** @throws AshlarError `malformed` */
export function restOf(fields: Fields, { from, to }: OwnField): { readonly inode: string; readonly modified: string } {
  const found = REST.exec(fields.bytes.toString("latin1", from, to))?.groups;
  if (found === undefined) throw malformed(fields, from);
  return { inode: found["inode"] ?? "", modified: found["modified"] ?? "" };
}

function digit({ bytes }: Fields, start: number, at: number): number {
  const value = (bytes[at] ?? 0) - ZERO;
  if (value >= 0 && value <= 9 && at - start < 2 * MAX_DIGITS) return value;
  throw new AshlarError("malformed", `expected links and device of a file in digits at byte ${start}`);
}

function malformed({ bytes }: Fields, at: number): AshlarError {
  const found = JSON.stringify(bytes.toString("latin1", at, at + 50));
  return new AshlarError("malformed", `expected inode and time of a file at byte ${at}, found ${found}`);
}
