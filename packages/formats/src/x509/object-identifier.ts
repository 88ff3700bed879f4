import type { DerReader } from "./der-reader.ts";
import { DER_TAGS } from "./der-reader.ts";

const MAX_OCTETS = 64;

/** An object identifier in dotted form (X.690, 8.19). */
export function readObjectIdentifier(reader: DerReader, field: string): string {
  const { content } = reader.element(DER_TAGS.objectIdentifier, field);
  const last = content.at(-1);
  if (last === undefined || last >= 0x80 || content.length > MAX_OCTETS) {
    reader.fail(`${field}: expected an object identifier of at most ${MAX_OCTETS} octets`);
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  let isStart = true;
  for (const octet of content) {
    if (isStart && octet === 0x80) reader.fail(`${field}: expected the shortest form of an arc`);
    arc = arc * 128n + BigInt(octet & 0x7f);
    isStart = octet < 0x80;
    if (!isStart) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [joined = 0n, ...rest] = arcs;
  const first = joined < 80n ? joined / 40n : 2n;
  return [first, joined - first * 40n, ...rest].join(".");
}
