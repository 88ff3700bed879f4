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
  const key = Buffer.from(content).toString("latin1");
  const known = KNOWN.get(key);
  if (known !== undefined) return known;
  const text = dottedOf(content, reader, field);
  if (KNOWN.size === MAX_KNOWN) KNOWN.clear();
  KNOWN.set(key, text);
  return text;
}

/** Certificates are made of a few of them, over and over. */
const KNOWN = new Map<string, string>();
const MAX_KNOWN = 1000;

function dottedOf(content: Uint8Array, reader: DerReader, field: string): string {
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
