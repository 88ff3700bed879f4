import { AshlarError } from "@ashlar/base";
import type { Field, ObjectSchema, ScalarSchema, Schema } from "../schema/schema.ts";
import type { Findings } from "./findings.ts";
import { MAX_ALIASED_VALUES, MAX_DEPTH } from "./limits.ts";
import { nearest } from "./nearest.ts";
import type { Key, Language, Origins } from "./origins.ts";
import { resolved } from "./tree.ts";
import type { Entry, MapTree, ScalarTree, Tree } from "./tree.ts";

/** A decoded value: objects have the keys of Ignition JSON; what is null or empty by default is absent. */
export type Decoded = string | boolean | number | bigint | Decoded[] | DecodedObject;
export type DecodedObject = { [key: string]: Decoded | undefined };

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

  #value(tree: Tree, schema: Schema, at: { parent: object; key: Key }): Decoded | undefined {
    this.#count();
    if (tree.kind === "alias") return this.#alias(tree, schema, at);
    if (schema.kind === "object") return this.#object(tree, schema, at);
    return schema.kind === "list" ? this.#list(tree, schema.of, schema, at) : this.#scalar(tree, schema);
  }

  #alias(tree: Tree, schema: Schema, at: { parent: object; key: Key }): Decoded | undefined {
    this.#aliasDepth += 1;
    if (this.#aliasDepth > MAX_DEPTH) {
      throw new AshlarError("limit", `expected at most ${MAX_DEPTH} aliases inside each other, found more`);
    }
    const value = this.#value(resolved(tree), schema, at);
    this.#aliasDepth -= 1;
    if (typeof value === "object") this.#origins.add(value, schema, tree, at);
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

  #scalar(tree: Exclude<Tree, { kind: "alias" }>, schema: ScalarSchema): Decoded | undefined {
    if (tree.kind !== "scalar") {
      this.#mismatch(tree, `expected ${ARTICLES[schema.kind]}, found ${ARTICLES[tree.kind]}`);
      return undefined;
    }
    const result = this.#notation.scalar(tree, schema.kind);
    if (result.value !== undefined) return result.value ?? undefined;
    this.#mismatch(tree, `expected ${ARTICLES[schema.kind]}, found ${result.found}`, result.hint);
    return undefined;
  }

  #list(
    tree: Exclude<Tree, { kind: "alias" }>,
    of: Schema,
    schema: Schema,
    at: { parent: object; key: Key },
  ): Decoded | undefined {
    if (tree.kind !== "list") {
      if (!this.#isNull(tree)) this.#mismatch(tree, `expected a list, found ${describe(tree)}`, LIST_HINT);
      return undefined;
    }
    if (tree.items.length === 0) return undefined;
    const items: Decoded[] = [];
    this.#origins.add(items, schema, tree, at);
    for (const [key, item] of tree.items.entries()) {
      items.push(this.#value(item, of, { parent: items, key }) ?? EMPTY[of.kind]);
    }
    return items;
  }

  #object(
    tree: Exclude<Tree, { kind: "alias" }> | Tree,
    schema: ObjectSchema,
    at: { parent: object; key: Key } | undefined,
  ): DecodedObject {
    const value: DecodedObject = {};
    this.#origins.add(value, schema, tree, at);
    for (const field of schema.fields) value[field.json] = emptyOf(field);
    const found = resolved(tree);
    if (found.kind !== "map") {
      if (!this.#isNull(found)) this.#mismatch(tree, `expected keys with values, found ${describe(found)}`);
      else if (this.#aliasDepth === 0 && this.#notation.language === "yaml") {
        this.#findings.warning([value], "there is nothing here", "leave the key out, or give it a value");
      }
      return value;
    }
    this.#enter();
    this.#refuseDuplicates(found);
    for (const entry of this.#effectiveEntries(found)) this.#entry(entry, schema, value);
    this.#warnAboutUnknownKeys(found, schema, value);
    this.#depth -= 1;
    return value;
  }

  #entry({ key, value: tree }: Entry, schema: ObjectSchema, value: DecodedObject): void {
    const name = resolved(key);
    if (name.kind !== "scalar") {
      this.#mismatch(key, `expected a key, found ${describe(name)}`);
      return;
    }
    const field = schema.fields.find((candidate) => this.#nameOf(candidate) === name.text);
    if (field === undefined) return;
    const decoded = this.#value(tree, field.schema, { parent: value, key: name.text });
    if (decoded !== undefined) value[field.json] = decoded;
  }

  /** The entries of a map and, where they do not say otherwise, of the maps merged into it. */
  #effectiveEntries(tree: MapTree): readonly Entry[] {
    if (!tree.entries.some((entry) => this.#notation.isMergeKey(entry.key))) return tree.entries;
    const entries = tree.entries.filter((entry) => !this.#notation.isMergeKey(entry.key));
    const known = new Set(entries.map((entry) => keyText(entry.key)));
    for (const { key, value } of tree.entries) {
      if (!this.#notation.isMergeKey(key)) continue;
      for (const merged of this.#mergedMaps(value)) {
        this.#count();
        this.#enter();
        const added = this.#effectiveEntries(merged).filter((entry) => !known.has(keyText(entry.key)));
        this.#depth -= 1;
        for (const entry of added) known.add(keyText(entry.key));
        entries.push(...added);
      }
    }
    return entries;
  }

  #mergedMaps(tree: Tree): readonly MapTree[] {
    const target = resolved(tree);
    const maps = target.kind === "list" ? target.items.map(resolved) : [target];
    if (maps.every((map) => map.kind === "map")) return maps;
    this.#mismatch(tree, `expected a map or a list of maps to merge, found ${describe(target)}`);
    return [];
  }

  #refuseDuplicates(tree: MapTree): void {
    const seen = new Set<string>();
    for (const { key } of tree.entries) {
      const name = keyText(key);
      if (seen.has(name)) {
        this.#mismatch(key, `expected each key once, found ${name} again`, "keep one of them, or join their values");
      }
      seen.add(name);
    }
  }

  #warnAboutUnknownKeys(tree: MapTree, schema: ObjectSchema, value: DecodedObject): void {
    if (this.#aliasDepth > 0) return;
    const names = schema.fields.map((field) => this.#nameOf(field)).filter((name) => name !== undefined);
    for (const { key } of tree.entries) {
      const name = keyText(key);
      if (names.includes(name)) continue;
      const place = this.#origins.locateKey(value, name);
      if (this.#notation.isMergeKey(key)) {
        this.#findings.atKey("warning", place, "unknown keys inside a merged map are not reported");
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

  #mismatch(tree: Tree, message: string, hint?: string): void {
    this.#findings.at("error", tree.offset, message, hint);
  }
}

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

export function isObject(value: Decoded | undefined): value is DecodedObject {
  return typeof value === "object" && !Array.isArray(value);
}

/** A decoded string; empty for everything else. */
export function textOf(value: Decoded | undefined): string {
  return typeof value === "string" ? value : "";
}
