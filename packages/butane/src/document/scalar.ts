import type { ScalarTree } from "./tree.ts";

/** What a scalar stands for before anybody asks for a type. */
export type ScalarValue =
  | { readonly type: "null" }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "string" }
  | { readonly type: "binary" }
  | { readonly type: "timestamp" }
  /** An explicit tag that the text cannot be. */
  | { readonly type: "contradiction"; readonly tag: string };

const TAG_PREFIX = "tag:yaml.org,2002:";

const WORDS: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, { type: "null" }] as const),
  ...["true", "True", "TRUE"].map((word) => [word, { type: "boolean", value: true }] as const),
  ...["false", "False", "FALSE"].map((word) => [word, { type: "boolean", value: false }] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, { type: "float", value: Number.NaN }] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map(
    (word) => [word, { type: "float", value: Number.POSITIVE_INFINITY }] as const,
  ),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, { type: "float", value: Number.NEGATIVE_INFINITY }] as const),
]);

const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/u;
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt\s])/u;

/** Resolves a YAML scalar as the reference's YAML library does: a mixture of YAML 1.1 and 1.2. */
export function resolveScalar(tree: ScalarTree): ScalarValue {
  const tag = shortTag(tree.tag);
  if (tag === "str" || (tag === undefined && tree.quoted)) return { type: "string" };
  if (tag === "binary") return { type: "binary" };
  const value = resolvePlain(tree.text);
  if (tag === undefined || value.type === "string" || tag === typeTag(value)) {
    const contradicts = tag !== undefined && value.type === "string" && STANDARD_TAGS.has(tag);
    return contradicts ? { type: "contradiction", tag } : value;
  }
  if (tag === "float" && value.type === "integer") return { type: "float", value: Number(value.value) };
  if (STANDARD_TAGS.has(tag)) return { type: "contradiction", tag };
  // A tag of one's own makes a text of anything.
  return { type: "string" };
}

const STANDARD_TAGS: ReadonlySet<string> = new Set(["null", "bool", "int", "float", "timestamp"]);

function typeTag({ type }: ScalarValue): string {
  if (type === "boolean") return "bool";
  return type === "integer" ? "int" : type;
}

function shortTag(tag: string | undefined): string | undefined {
  if (tag === undefined || tag === "!") return undefined;
  return tag.startsWith(TAG_PREFIX) ? tag.slice(TAG_PREFIX.length) : tag;
}

function resolvePlain(text: string): ScalarValue {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (text.startsWith(".")) return FLOAT.test(text) ? { type: "float", value: Number(text) } : { type: "string" };
  if (!/^[-+\d]/u.test(text)) return { type: "string" };
  if (TIMESTAMP.test(text)) return { type: "timestamp" };
  const plain = text.replaceAll("_", "");
  const integer = parseInteger(plain);
  if (integer !== undefined) return { type: "integer", value: integer };
  if (FLOAT.test(plain) && Number.isFinite(Number(plain))) return { type: "float", value: Number(plain) };
  return { type: "string" };
}

const INTEGER = /^(?<sign>[-+]?)(?:(?<prefix>0[xX]|0[bB]|0[oO]|0(?=\d))(?<digits>[\da-fA-F]+)|(?<decimal>\d+))$/u;
const DIGITS: Readonly<Record<string, RegExp>> = { "0x": /^[\da-f]+$/u, "0b": /^[01]+$/u, "0o": /^[0-7]+$/u };

/** Decimal, 0x, 0b, 0o and, as ever for modes, a leading zero for octal. Nothing beyond 64 bits. */
function parseInteger(text: string): bigint | undefined {
  const groups = INTEGER.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const magnitude = parseMagnitude(groups);
  if (magnitude === undefined) return undefined;
  const value = groups["sign"] === "-" ? -magnitude : magnitude;
  return value >= -(2n ** 63n) && value < 2n ** 64n ? value : undefined;
}

function parseMagnitude(groups: Readonly<Record<string, string>>): bigint | undefined {
  const { decimal, prefix, digits = "" } = groups;
  if (decimal !== undefined) return BigInt(decimal);
  const base = prefix === "0" ? "0o" : (prefix ?? "").toLowerCase();
  const lower = digits.toLowerCase();
  return DIGITS[base]?.test(lower) === true ? BigInt(base + lower) : undefined;
}
