import { AshlarError, foldName } from "@ashlar/base";
import type { Field, ObjectSchema, ScalarSchema, Schema } from "../schema/schema.ts";
import type { Decoded, DecodedObject } from "./decoded.ts";
import type { Findings } from "./findings.ts";
import { MAX_ALIASED_VALUES, MAX_DEPTH } from "./limits.ts";
import { nearest } from "./nearest.ts";
import type { Key, Language, Origins } from "./origins.ts";
import { resolved, type Entry, type MapTree, type ScalarTree, type Tree } from "./tree.ts";

export type Notation = {
  readonly language: Language;
  /** Reads a scalar as the given type: its value, `null` for nothing, or what it was instead. */
  readonly scalar: (tree: ScalarTree, kind: ScalarSchema["kind"]) => ScalarResult;
  /** Whether a key merges another map into this one. */
  readonly isMergeKey: (key: Tree) => boolean;
};

export type ScalarResult =
  | { readonly value: string | boolean | number | bigint }
  | { readonly value: null }
  | { readonly value: undefined; readonly found: string; readonly hint?: string };

/** Where a value will stand: under a key of an object, or at an index of a list. */
type Spot = { readonly parent: object; readonly key: Key };

/**
 * Turns a document into the value that its schema describes. Wrong types become errors, all of them in one run; keys
 * that the schema does not have become warnings.
 */
export class Decoder {
  readonly #notation: Notation;
  readonly #origins: Origins;
  readonly #findings: Findings;
  #aliased = 0;
  #aliasDepth = 0;
  /** The alias that is being followed: what is in it has its place. */
  #place: Tree | undefined;
  #depth = 0;

  constructor(notation: Notation, origins: Origins, findings: Findings) {
    this.#notation = notation;
    this.#origins = origins;
    this.#findings = findings;
  }

  /** The whole document; what is not a map counts as an empty one, with a problem. */
  document(tree: Tree, schema: ObjectSchema): DecodedObject {
    return this.#object(tree, schema, undefined);
  }

  #value(tree: Tree, schema: Schema, at: Spot): Decoded | undefined {
    this.#count();
    if (tree.kind === "alias") return this.#alias(tree, schema, at);
    if (schema.kind === "object") return this.#object(tree, schema, at);
    return schema.kind === "list" ? this.#list(tree, schema.of, schema, at) : this.#scalar(tree, schema, at);
  }

  #alias(tree: Tree, schema: Schema, at: Spot): Decoded | undefined {
    this.#aliasDepth += 1;
    if (this.#aliasDepth > MAX_DEPTH) {
      throw new AshlarError("limit", `expected at most ${MAX_DEPTH} aliases inside each other, found more`);
    }
    const outer = this.#place;
    this.#place ??= tree;
    const value = this.#value(resolved(tree), schema, at);
    this.#place = outer;
    this.#aliasDepth -= 1;
    if (schema.kind === "object" && typeof value === "object" && this.#aliasDepth === 0) {
      this.#findings.warning([value], "unknown keys and exact places inside an alias are not reported");
    }
    return value;
  }

  /** Only aliases make decoding larger than the document. */
  #count(): void {
    if (this.#aliasDepth === 0) return;
    this.#aliased += 1;
    if (this.#aliased > MAX_ALIASED_VALUES) {
      throw new AshlarError("limit", `expected aliases to add at most ${MAX_ALIASED_VALUES} values, found more`, {
        hint: "write the repeated parts out, or make them smaller",
      });
    }
  }

  #scalar(tree: Exclude<Tree, { kind: "alias" }>, schema: ScalarSchema, at: Spot): Decoded | undefined {
    if (tree.kind !== "scalar") {
      this.#mismatch(tree, at, `expected ${ARTICLES[schema.kind]}, found ${ARTICLES[tree.kind]}`);
      return undefined;
    }
    const result = this.#notation.scalar(tree, schema.kind);
    if (result.value !== undefined) return result.value ?? undefined;
    this.#mismatch(tree, at, `expected ${ARTICLES[schema.kind]}, found ${result.found}`, result.hint);
    return undefined;
  }

  #list(tree: Exclude<Tree, { kind: "alias" }>, of: Schema, schema: Schema, at: Spot): Decoded | undefined {
    if (tree.kind !== "list") {
      if (!this.#isNull(tree)) this.#mismatch(tree, at, `expected a list, found ${describe(tree)}`, LIST_HINT);
      return undefined;
    }
    if (tree.items.length === 0) return undefined;
    const items: Decoded[] = [];
    this.#origins.add(items, schema, this.#place ?? tree, at);
    const nulls: number[] = [];
    for (const [key, item] of tree.items.entries()) {
      if (this.#notation.language === "yaml" && this.#isNull(resolved(item))) {
        nulls.push(key);
        continue;
      }
      if (nulls.length > 0) this.#origins.move(items, items.length, [items, key]);
      items.push(this.#value(item, of, { parent: items, key }) ?? EMPTY[of.kind]);
    }
    // The reference sees a missing item only where another one takes its place.
    if (of.kind === "object" && this.#aliasDepth === 0) {
      for (const key of nulls.filter((index) => index < items.length)) {
        const place = { path: this.#origins.pathOf(items, key), offset: tree.items[key]?.offset ?? tree.offset };
        this.#findings.atKey("warning", place, NOTHING, "leave the item out");
      }
    }
    return items.length === 0 ? undefined : items;
  }

  #object(tree: Exclude<Tree, { kind: "alias" }> | Tree, schema: ObjectSchema, at: Spot | undefined): DecodedObject {
    const value: DecodedObject = {};
    this.#origins.add(value, schema, this.#place ?? tree, at);
    for (const field of schema.fields) value[field.json] = emptyOf(field);
    const found = resolved(tree);
    if (found.kind !== "map") {
      if (!this.#isNull(found)) this.#mismatch(tree, at, `expected keys with values, found ${describe(found)}`);
      else if (this.#aliasDepth === 0 && this.#notation.language === "yaml") {
        this.#findings.warning([value], NOTHING, "leave the key out, or give it a value");
      }
      return value;
    }
    this.#enter();
    this.#refuseDuplicates(found, value);
    for (const entry of this.#effectiveEntries(found, value)) this.#entry(entry, schema, value);
    this.#warnAboutUnknownKeys(found, schema, value);
    this.#depth -= 1;
    return value;
  }

  #entry({ key, value: tree }: Entry, schema: ObjectSchema, value: DecodedObject): void {
    const name = resolved(key);
    if (name.kind !== "scalar") {
      this.#mismatch(key, { parent: value, key: "?" }, `expected a key, found ${describe(name)}`);
      return;
    }
    const field = schema.fields.find((candidate) => this.#nameOf(candidate) === name.text);
    if (field === undefined) return;
    const decoded = this.#value(tree, field.schema, { parent: value, key: name.text });
    if (decoded !== undefined) value[field.json] = decoded;
  }

  /** The entries of a map and, where they do not say otherwise, of the maps merged into it. */
  #effectiveEntries(tree: MapTree, value: object): readonly Entry[] {
    if (!tree.entries.some((entry) => this.#notation.isMergeKey(entry.key))) return tree.entries;
    const entries = tree.entries.filter((entry) => !this.#notation.isMergeKey(entry.key));
    const known = new Set(entries.map((entry) => keyText(entry.key)));
    for (const { key, value: target } of tree.entries) {
      if (!this.#notation.isMergeKey(key)) continue;
      for (const merged of this.#mergedMaps(target, value)) {
        this.#count();
        this.#enter();
        const added = this.#effectiveEntries(merged, value).filter((entry) => !known.has(keyText(entry.key)));
        this.#depth -= 1;
        for (const entry of added) known.add(keyText(entry.key));
        entries.push(...added);
      }
    }
    return entries;
  }

  #mergedMaps(tree: Tree, value: object): readonly MapTree[] {
    const target = resolved(tree);
    const maps = target.kind === "list" ? target.items.map(resolved) : [target];
    if (maps.every((map) => map.kind === "map")) return maps;
    this.#mismatch(
      tree,
      { parent: value, key: "<<" },
      `expected a map or a list of maps to merge, found ${describe(target)}`,
    );
    return [];
  }

  #refuseDuplicates(tree: MapTree, value: object): void {
    const seen = new Set<string>();
    for (const { key } of tree.entries) {
      const name = keyText(key);
      if (seen.has(name)) this.#repeated(key, { parent: value, key: name });
      seen.add(name);
    }
  }

  /** Ignition joins the parts of equal keys, so that what stands last is not what counts; YAML takes none. */
  #repeated(tree: Tree, at: Spot): void {
    const place = { path: this.#origins.pathOf(at.parent, at.key), offset: tree.offset };
    const message = `expected each key once, found ${at.key} again`;
    this.#findings.atKey("error", place, message, "keep one of them, or join their values");
  }

  #warnAboutUnknownKeys(tree: MapTree, schema: ObjectSchema, value: DecodedObject): void {
    if (this.#aliasDepth > 0 || schema.isPart === true) return;
    const names = schema.fields.map((field) => this.#nameOf(field)).filter((name) => name !== undefined);
    const known = new Set(names);
    for (const { key } of tree.entries) {
      const name = keyText(key);
      if (known.has(name)) continue;
      const place = { path: this.#origins.pathOf(value, name), offset: key.offset };
      if (this.#notation.isMergeKey(key)) {
        this.#findings.atKey("warning", place, "unknown keys inside a merged map are not reported");
        continue;
      }
      const taken = this.#notation.language === "json" && names.find((each) => foldName(each) === foldName(name));
      if (typeof taken === "string") {
        this.#findings.atKey("error", place, `expected ${taken}, found ${name}, which Ignition takes for it`);
        continue;
      }
      const meant = nearest(name, names);
      const hint = meant === undefined ? `known here: ${names.join(", ")}` : `did you mean ${meant}?`;
      this.#findings.atKey("warning", place, `expected a known key, found ${name}, which has no effect`, hint);
    }
  }

  #nameOf(field: Field): string | undefined {
    if (this.#notation.language === "yaml") return field.language === "ignition" ? undefined : field.yaml;
    return field.language === "butane" ? undefined : field.json;
  }

  #isNull(tree: Tree): boolean {
    return tree.kind === "scalar" && this.#notation.scalar(tree, "string").value === null;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new AshlarError("limit", `expected at most ${MAX_DEPTH} maps inside each other, found more`);
    }
  }

  #mismatch(tree: Tree, at: Spot | undefined, message: string, hint?: string): void {
    const path = at === undefined ? "$" : this.#origins.pathOf(at.parent, at.key);
    this.#findings.atKey("error", { path, offset: tree.offset }, message, hint);
  }
}

const NOTHING = "expected a value, found nothing";
const LIST_HINT = "start each item with a dash";

const ARTICLES = {
  string: "text",
  integer: "a whole number",
  boolean: "true or false",
  list: "a list",
  map: "keys with values",
  scalar: "a single value",
} as const;

/** What a null item of a list counts as. */
const EMPTY = { string: "", integer: 0, boolean: false, list: [], object: {} } as const;

function emptyOf(field: Field): Decoded | undefined {
  return field.presence === "required" ? "" : undefined;
}

function keyText(key: Tree): string {
  const tree = resolved(key);
  return tree.kind === "scalar" ? tree.text : "";
}

function describe(tree: Exclude<Tree, { kind: "alias" }>): string {
  return tree.kind === "scalar" ? `“${shortened(tree.text)}”` : ARTICLES[tree.kind];
}

export function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
