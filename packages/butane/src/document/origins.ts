import type { Field, ObjectSchema, Schema } from "../schema/schema.ts";
import { childOf, type Tree } from "./tree.ts";

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
  /** Parts that came from elsewhere: `source` from `inline`. */
  readonly moved: Map<Key, Origin>;
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
    this.#origins.set(value, { parent, key: at?.key ?? "$", tree, schema, moved: new Map() });
  }

  /** Makes problems of a generated object or list, and of all its parts, point to what it was generated from. */
  derive(value: object, from: Place): void {
    this.#origins.set(value, { ...this.#find(from), schema: ANYWHERE, moved: new Map() });
  }

  /** Makes problems of `key` point to the place from which its value was made. */
  move(holder: object, key: Key, from: Place): void {
    this.#find([holder]).moved.set(key, this.#find(from));
  }

  /** The path as the user wrote it and the offset of the deepest part of it that exists. */
  locate(place: Place): { readonly path: string; readonly offset: number } {
    const origin = this.#find(place);
    return { path: pathOf(origin), offset: offsetOf(origin) };
  }

  /** The path of a part by the key that the document has for it, or should have. */
  pathOf(holder: object, key: Key): string {
    return `${pathOf(this.#find([holder]))}.${key}`;
  }

  #find([holder, ...keys]: Place): Origin {
    let origin = this.#origins.get(holder);
    if (origin === undefined) throw new TypeError("a problem needs a place in the document");
    for (const key of keys) origin = this.#step(origin, key);
    return origin;
  }

  #step(origin: Origin, key: Key): Origin {
    const { schema } = origin;
    const moved = origin.moved.get(key);
    if (moved !== undefined) return moved;
    if (schema === ANYWHERE) return origin;
    if (typeof key === "number") return child(origin, key, schema.kind === "list" ? schema.of : ANYWHERE);
    const field = schema.kind === "object" ? fieldOf(schema, key) : undefined;
    if (field === undefined) return child(origin, key, ANYWHERE);
    return child(origin, this.#language === "yaml" ? field.yaml : field.json, field.schema);
  }
}

function child(parent: Origin, key: Key, schema: Schema): Origin {
  return { parent, key, tree: childOf(parent.tree, key), schema, moved: new Map() };
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
