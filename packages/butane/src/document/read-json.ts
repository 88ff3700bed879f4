import { AshlarError } from "@ashlar/base";
import { MAX_DEPTH, MAX_DOCUMENT_LENGTH } from "./limits.ts";
import type { Entry, Tree } from "./tree.ts";

export type JsonResult =
  | { readonly tree: Tree; readonly problem?: undefined }
  | { readonly problem: { readonly message: string; readonly offset: number } };

/**
 * Reads a JSON text (RFC 8259), keeping where everything stands. Numbers and words become unquoted scalars.
 *
 * @throws AshlarError `limit` if the document is too large or too deep.
 */
export function readJson(text: string): JsonResult {
  if (text.length > MAX_DOCUMENT_LENGTH) {
    throw new AshlarError("limit", `expected at most ${MAX_DOCUMENT_LENGTH} characters, found ${text.length}`);
  }
  try {
    return { tree: new Reader(text).document() };
  } catch (error) {
    if (error instanceof NotJson) return { problem: error };
    throw error;
  }
}

class NotJson extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const SPACE = /[ \t\n\r]*/uy;
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/uy;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)(?![\w.+-])/uy;

class Reader {
  readonly #text: string;
  #offset = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Tree {
    const tree = this.#value();
    if (this.#offset < this.#text.length) throw this.#unexpected("the end");
    return tree;
  }

  /** One value with the space around it. */
  #value(): Tree {
    this.#skip(SPACE);
    const offset = this.#offset;
    const character = this.#text[offset];
    let tree: Tree;
    if (character === "{") tree = { kind: "map", offset, entries: this.#items("}", () => this.#entry()) };
    else if (character === "[") tree = { kind: "list", offset, items: this.#items("]", () => this.#value()) };
    else if (character === '"') tree = this.#string();
    else tree = { kind: "scalar", offset, text: this.#match(SCALAR, "a value"), quoted: false };
    this.#skip(SPACE);
    return tree;
  }

  #string(): Tree {
    const offset = this.#offset;
    const source = this.#match(STRING, "a text in quotes");
    // JSON's own parser knows the escapes, and the pattern that nothing else can go wrong.
    const text = source.includes("\\") ? String(JSON.parse(source)) : source.slice(1, -1);
    return { kind: "scalar", offset, text, quoted: true };
  }

  #entry(): Entry {
    this.#skip(SPACE);
    const key = this.#string();
    this.#skip(SPACE);
    this.#expect(":");
    return { key, value: this.#value() };
  }

  #items<Item>(end: string, readItem: () => Item): Item[] {
    this.#offset += 1;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new AshlarError("limit", `expected at most ${MAX_DEPTH} lists and objects inside each other, found more`);
    }
    const items: Item[] = [];
    this.#skip(SPACE);
    if (this.#text[this.#offset] !== end) {
      items.push(readItem());
      while (this.#text[this.#offset] === ",") {
        this.#offset += 1;
        items.push(readItem());
      }
    }
    this.#expect(end);
    this.#depth -= 1;
    return items;
  }

  #expect(character: string): void {
    if (this.#text[this.#offset] !== character) throw this.#unexpected(character);
    this.#offset += 1;
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#offset;
    this.#offset += pattern.exec(this.#text)?.[0].length ?? 0;
  }

  #match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#offset;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) throw this.#unexpected(what);
    this.#offset += found.length;
    return found;
  }

  #unexpected(expected: string): NotJson {
    const character = this.#text[this.#offset];
    const found = character === undefined ? "the end" : JSON.stringify(character);
    return new NotJson(`expected ${expected}, found ${found}`, this.#offset);
  }
}
