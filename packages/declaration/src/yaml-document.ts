/** Reads YAML that people write on or for a node: every problem at once, each with its place. Needs no schema library. */
import type { Position, Problem, Report } from "@ashlar/base";
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Node } from "yaml";

export type YamlNode = Node;

export type YamlLimits = {
  readonly maxCharacters: number;
  /** Where the format is explained, for hints: "see the guide to updates". */
  readonly hint: string;
};

/** Of text that is not YAML at all, every character may be one. */
const MAX_SYNTAX_PROBLEMS = 8;

/**
 * @param read takes the value out of the document's root, which is null in an empty document
 * @returns the value with all that is wrong with it; no value when the text is no YAML, or is too long
 */
export function readYaml<Value>(
  text: string,
  { maxCharacters, hint }: YamlLimits,
  read: (reader: YamlReader, root: YamlNode | null) => Value,
): { readonly value?: Value; readonly report: Report } {
  if (text.length > maxCharacters) {
    const message = `expected at most ${maxCharacters} characters, found ${text.length}`;
    return { report: [{ severity: "error", message }] };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error", merge: false });
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const reader = new YamlReader(positionOf, hint);
  for (const { message, pos } of document.errors.slice(0, MAX_SYNTAX_PROBLEMS)) {
    reader.complain(pos[0], "$", message, "this is not YAML");
  }
  if (document.errors.length > 0) return { report: reader.problems };
  return { value: read(reader, document.contents), report: reader.problems };
}

type Fields<Values> = {
  readonly [Name in keyof Values]: (node: YamlNode, path: string) => Values[Name] | undefined;
};

/** Takes values out of a document and notes all that is wrong with them. */
export class YamlReader {
  readonly problems: Problem[] = [];
  readonly #positionOf: (offset: number) => Position;
  readonly #hint: string;

  constructor(positionOf: (offset: number) => Position, hint: string) {
    this.#positionOf = positionOf;
    this.#hint = hint;
  }

  complain(offset: number, path: string, message: string, hint: string): undefined {
    this.problems.push({ severity: "error", message, hint, path, position: this.#positionOf(offset) });
  }

  map<Values extends object>(node: YamlNode, path: string, fields: Fields<Values>): Partial<Values> {
    const found: Partial<Values> = {};
    if (!isMap(node)) {
      this.complain(node.range?.[0] ?? 0, path, "expected keys with values, found something else", KEYS_HINT);
      return found;
    }
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key) || typeof pair.key.value !== "string") {
        this.complain(node.range?.[0] ?? 0, path, "expected names as keys, found something else", KEYS_HINT);
        continue;
      }
      const name = pair.key.value;
      const offset = pair.key.range?.[0] ?? 0;
      if (!isFieldOf(fields, name)) {
        const known = Object.keys(fields).join(", ");
        this.complain(offset, `${path}.${name}`, `expected one of ${known}`, "remove the key, or mend its name");
        continue;
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a parsed document holds nothing but nodes
      const value = pair.value === null ? undefined : fields[name](pair.value as YamlNode, `${path}.${name}`);
      if (pair.value === null) this.complain(offset, `${path}.${name}`, "expected a value, found none", "leave it out");
      if (value !== undefined) found[name] = value;
    }
    return found;
  }

  list<Item>(
    node: YamlNode,
    path: string,
    maxItems: number,
    item: (node: YamlNode, path: string) => Item | undefined,
  ): Item[] | undefined {
    if (!isSeq(node)) return this.#wrong(node, path, "a list");
    if (node.items.length > maxItems) return this.#wrong(node, path, `at most ${maxItems} items`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a parsed document holds nothing but nodes
    return node.items.flatMap((each, index) => item(each as YamlNode, `${path}.${index}`) ?? []);
  }

  text(node: YamlNode, path: string, is: (text: string) => boolean, expected: string): string | undefined {
    if (isScalar(node) && typeof node.value === "string" && is(node.value)) return node.value;
    return this.#wrong(node, path, expected);
  }

  choice<Choice extends string>(node: YamlNode, path: string, choices: readonly Choice[]): Choice | undefined {
    const found = isScalar(node) ? choices.find((choice) => choice === node.value) : undefined;
    return found ?? this.#wrong(node, path, `one of ${choices.join(", ")}`);
  }

  integer(node: YamlNode, path: string, min: number, max: number): number | undefined {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.#wrong(node, path, `a whole number from ${min} to ${max}`);
  }

  #wrong(node: YamlNode, path: string, expected: string): undefined {
    // What stands before an @ may be a password, and others may read what is wrong with a file.
    const found = isScalar(node)
      ? JSON.stringify(String(node.value).replace(/^.*@/su, "...@")).slice(0, 80)
      : "something else";
    this.complain(node.range?.[0] ?? 0, path, `expected ${expected}, found ${found}`, this.#hint);
  }
}

const KEYS_HINT = "write `name: value`, one a line";

function isFieldOf<Values>(fields: Fields<Values>, name: string): name is Extract<keyof Values, string> {
  return Object.hasOwn(fields, name);
}
