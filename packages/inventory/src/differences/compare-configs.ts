/** Which keys of two Butane files (or Ignition ones, which are YAML, too) differ, with their lines. */
import { isTooDeep } from "@ashlar/base";
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from "yaml";

/** A class config that nodes may have. */
export type KnownConfig = {
  /** For people: its path. */
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the Ignition config that it gives, which is what nodes measure. */
  readonly sha256: string;
};

/** A key that differs; a side is null where the file does not have it. */
export type KeyDifference = { readonly key: string; readonly from: KeyValue | null; readonly to: KeyValue | null };
export type KeyValue = { readonly text: string; readonly line: number };

const DEPTH = { brackets: 100, indentation: 200 };
/** More than any config that firmware and nodes take has. */
const MAX_VALUES = 20_000;
const MAX_SHOWN = 200;
/** What tells items of Butane's lists apart. */
const NAMES = ["path", "name", "device", "label"] as const;

/** @returns undefined when one of the texts is not YAML that can be compared */
export function compareConfigs(before: string, after: string): KeyDifference[] | undefined {
  const [old, now] = [valuesOf(before), valuesOf(after)];
  if (old === undefined || now === undefined) return undefined;
  const differences: KeyDifference[] = [];
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const [from = null, to = null] = [old.get(key), now.get(key)];
    if (from?.whole !== to?.whole) differences.push({ key, from: shown(from), to: shown(to) });
  }
  return differences;
}

type Value = { readonly whole: string; readonly line: number };

function shown(value: Value | null): KeyValue | null {
  if (value === null) return null;
  const [first = "", ...more] = value.whole.split("\n");
  const isCut = first.length > MAX_SHOWN || more.some((line) => line !== "");
  return { text: `${first.slice(0, MAX_SHOWN)}${isCut ? "..." : ""}`, line: value.line };
}

/** All values that are no lists or maps, by their keys: `storage.files[/etc/motd].contents.inline`. */
function valuesOf(text: string): ReadonlyMap<string, Value> | undefined {
  if (isTooDeep(text, DEPTH)) return undefined;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  if (document.errors.length > 0) return undefined;
  const values = new Map<string, Value>();
  const anchors = anchorsOf(document);
  if (anchors === undefined) return undefined;
  return collect(document.contents, "", { anchors, lines, values }) ? values : undefined;
}

type Found = {
  readonly anchors: ReadonlyMap<string, unknown>;
  readonly lines: LineCounter;
  readonly values: Map<string, Value>;
};

/** What aliases stand for. Looked up once: the library searches the whole document for each. Undefined where a name is used twice. */
function anchorsOf(document: Document): ReadonlyMap<string, unknown> | undefined {
  const anchors = new Map<string, unknown>();
  let isUnique = true;
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node) || node.anchor === undefined) return;
      isUnique &&= !anchors.has(node.anchor);
      anchors.set(node.anchor, node);
    },
  });
  return isUnique ? anchors : undefined;
}

/** @returns false when there are too many: an alias stands for as much as it names, again and again */
function collect(node: unknown, key: string, found: Found): boolean {
  const { anchors, lines, values } = found;
  if (values.size > MAX_VALUES) return false;
  if (isAlias(node)) return collect(anchors.get(node.source), key, found);
  if (isMap(node) && node.items.length > 0) {
    return node.items.every((pair) =>
      collect(pair.value, `${key === "" ? "" : `${key}.`}${scalarText(pair.key)}`, found),
    );
  }
  if (isSeq(node) && node.items.length > 0) {
    const names = node.items.map((item, index) => nameOf(item) ?? String(index));
    const isOwn = new Set(names).size === names.length;
    return node.items.every((item, index) => collect(item, `${key}[${isOwn ? (names[index] ?? "") : index}]`, found));
  }
  const offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  values.set(key, { whole: scalarText(node), line: lines.linePos(offset).line });
  return true;
}

function nameOf(item: unknown): string | undefined {
  if (isScalar(item)) return scalarText(item).slice(0, MAX_SHOWN);
  if (!isMap(item)) return undefined;
  for (const name of NAMES) {
    const value = item.get(name);
    if (typeof value === "string") return value.slice(0, MAX_SHOWN);
  }
  return undefined;
}

function scalarText(node: unknown): string {
  if (isMap(node) || isSeq(node)) return isMap(node) ? "{}" : "[]";
  const value: unknown = isScalar(node) ? node.value : node;
  if (typeof value === "string") return value;
  // As it is written: 0644 is a mode, and 644 another number.
  return isScalar(node) && node.source !== undefined ? node.source : String(value);
}
