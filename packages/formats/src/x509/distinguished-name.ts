import { DER_TAGS, type DerElement, type DerReader } from "./der-reader.ts";
import { readObjectIdentifier } from "./object-identifier.ts";

/** One attribute of a name: the type's object identifier, and the value as text. */
export type NameAttribute = { readonly type: string; readonly value: string };

/** The attributes of a Name (RFC 5280, 4.1.2.4) in their order; those that share a set, by their types. */
export type DistinguishedName = readonly NameAttribute[];

const MAX_ATTRIBUTES = 64;

export function readName(reader: DerReader, field: string): DistinguishedName {
  const attributes: NameAttribute[] = [];
  const sets = reader.inner(DER_TAGS.sequence, field);
  while (!sets.isAtEnd) {
    const set = sets.inner(DER_TAGS.set, "RelativeDistinguishedName");
    const together: NameAttribute[] = [];
    while (!set.isAtEnd) {
      if (attributes.length + together.length === MAX_ATTRIBUTES) {
        set.fail(`expected at most ${MAX_ATTRIBUTES} attributes`);
      }
      const attribute = set.inner(DER_TAGS.sequence, "AttributeTypeAndValue");
      const type = readObjectIdentifier(attribute, "type");
      together.push({ type, value: textOf(attribute.any("value")) });
      attribute.end();
    }
    // A set has no order (X.690, 11.6 gives DER one, by the encodings, which differ where the texts are the same).
    attributes.push(...together.toSorted((one, other) => (one.type < other.type ? -1 : 1)));
  }
  return attributes;
}

/** For comparison: how a text is encoded, its case and its spaces make no other name (RFC 5280, 7.1). */
export function nameKey(name: DistinguishedName): string {
  const known = KEYS.get(name);
  if (known !== undefined) return known;
  const plain = (value: string): string => value.normalize("NFKC").trim().replaceAll(/\s+/gu, " ").toLowerCase();
  const key = JSON.stringify(name.map(({ type, value }) => [type, plain(value)]));
  KEYS.set(name, key);
  return key;
}

/** An issuer is compared with every node's certificate. */
const KEYS = new WeakMap<DistinguishedName, string>();

/** On one line, for people. */
export function nameText(name: DistinguishedName): string {
  const parts = name.map(({ type, value }) => `${SHORT_NAMES.get(type) ?? type}=${value}`);
  return parts.join(", ").slice(0, MAX_SHOWN_CHARACTERS);
}

const MAX_SHOWN_CHARACTERS = 200;

/** RFC 4514, 3. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
]);

/** Two and four octets a character (X.690, 8.23.5 to 8.23.8). The other kinds of text are read as UTF-8 or Latin-1. */
const BMP_STRING = 0x1e;
const UNIVERSAL_STRING = 0x1c;
const UTF8_STRING = 0x0c;

function textOf({ tag, content }: DerElement & { readonly tag: number }): string {
  const bytes = Buffer.from(content);
  if (tag === UTF8_STRING) return bytes.toString("utf8");
  if (tag === UNIVERSAL_STRING && bytes.length % 4 === 0) return universalText(bytes);
  if (tag === BMP_STRING && bytes.length % 2 === 0) return bytes.swap16().toString("utf16le");
  return bytes.toString("latin1");
}

const LAST_CODE_POINT = 0x10_ffff;

function universalText(bytes: Buffer): string {
  const characters = Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
  return characters.map((each) => (each > LAST_CODE_POINT ? "\ufffd" : String.fromCodePoint(each))).join("");
}
