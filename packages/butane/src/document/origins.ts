import type { Field, ObjectSchema, Schema } from "../schema/schema.ts";
import { childOf, entryOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

export type Key = string | number;

/** A place in a decoded value: an object or list, and the keys (as in Ignition JSON) from there on. */
export type Place = readonly [holder: object, ...keys: readonly Key[]];

/** Which of a field's two names paths show. */
export type Language = "yaml" | "json";

type Origin = {
  readonly parent: Origin | undefined;
  readonly key: Key;
  readonly tree: Tree | undefined;
  readonly schema: Schema;
  /** Fields that came from another one: `source` from `inline`. */
  readonly renamed: Map<string, string>;
};

/** Remembers for each decoded object and list where in the document it stood. */
export class Origins {
  readonly #language: Language;
  readonly #origins = new WeakMap<object, Origin>();

  constructor(language: Language) {
    this.#language = language;
  }

  /** Records that `value` was decoded from `tree`, which stands at `key` of `parent`. */
  add(value: object, schema: Schema, tree: Tree | undefined, at: { parent: object; key: Key } | undefined): void {
    const parent = at === undefined ? undefined : this.#origins.get(at.parent);
    this.#origins.set(value, { parent, key: at?.key ?? "$", tree, schema, renamed: new Map() });
  }

  /** Makes problems of a generated object point to what it was generated from. */
  derive(value: object, from: Place): void {
    const [holder, ...keys] = from;
    const parent = this.#origins.get(holder);
    let origin = parent;
    for (const key of keys) origin = origin === undefined ? undefined : this.#step(origin, key);
    if (origin !== undefined) this.#origins.set(value, { ...origin, schema: ANYWHERE, renamed: new Map() });
  }

  /** Makes problems of `key` point to `original`, from which its value was made. */
  rename(holder: object, key: string, original: string): void {
    this.#origins.get(holder)?.renamed.set(key, original);
  }

  /** The path as the user wrote it and the offset of the deepest part of it that exists. */
  locate(place: Place): { readonly path: string; readonly offset: number } {
    const [holder, ...keys] = place;
    let origin = this.#origins.get(holder);
    if (origin === undefined) throw new TypeError("a problem needs a place in the document");
    for (const key of keys) origin = this.#step(origin, key);
    return { path: pathOf(origin), offset: offsetOf(origin) };
  }

  /** The offset of a key itself, for keys that should not be there. */
  locateKey(holder: object, key: string): { readonly path: string; readonly offset: number } {
    const origin = this.#origins.get(holder);
    if (origin === undefined) throw new TypeError("a problem needs a place in the document");
    const entry = origin.tree?.kind === "map" ? entryOf(origin.tree, key) : undefined;
    return { path: `${pathOf(origin)}.${key}`, offset: entry?.key.offset ?? offsetOf(origin) };
  }

  #step(origin: Origin, key: Key): Origin {
    const { schema } = origin;
    if (schema === ANYWHERE) return origin;
    if (typeof key === "number") return child(origin, key, schema.kind === "list" ? schema.of : ANYWHERE);
    const field = schema.kind === "object" ? fieldOf(schema, origin.renamed.get(key) ?? key) : undefined;
    if (field === undefined) return child(origin, key, ANYWHERE);
    return child(origin, this.#language === "yaml" ? field.yaml : field.json, field.schema);
  }
}

function child(parent: Origin, key: Key, schema: Schema): Origin {
  return { parent, key, tree: childOf(parent.tree, key), schema, renamed: new Map() };
}

function fieldOf(schema: ObjectSchema, json: string): Field | undefined {
  return schema.fields.find((field) => field.json === json);
}

function pathOf(origin: Origin): string {
  return origin.parent === undefined ? String(origin.key) : `${pathOf(origin.parent)}.${origin.key}`;
}

function offsetOf(origin: Origin): number {
  if (origin.tree !== undefined) return origin.tree.offset;
  return origin.parent === undefined ? 0 : offsetOf(origin.parent);
}

/** The schema of generated objects: all their keys have one place. */
const ANYWHERE: Schema = { kind: "object", name: "Anywhere", fields: [] };
