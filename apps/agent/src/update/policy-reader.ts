import type { Position, Problem } from "@ashlar/base";
import { isMap, isPair, isScalar, isSeq, type Node } from "yaml";

type Fields<Values> = { readonly [Name in keyof Values]: (node: Node, path: string) => Values[Name] | undefined };

/** Takes values out of a document and notes all that is wrong with them. */
export class PolicyReader {
  readonly problems: Problem[] = [];
  readonly #positionOf: (offset: number) => Position;

  constructor(positionOf: (offset: number) => Position) {
    this.#positionOf = positionOf;
  }

  complain(offset: number, path: string, message: string, hint: string): undefined {
    this.problems.push({ severity: "error", message, hint, path, position: this.#positionOf(offset) });
  }

  map<Values extends object>(node: Node, path: string, fields: Fields<Values>): Partial<Values> {
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
      const value = pair.value === null ? undefined : fields[name](pair.value as Node, `${path}.${name}`);
      if (pair.value === null) this.complain(offset, `${path}.${name}`, "expected a value, found none", "leave it out");
      if (value !== undefined) found[name] = value;
    }
    return found;
  }

  list<Item>(
    node: Node,
    path: string,
    maxItems: number,
    item: (node: Node, path: string) => Item | undefined,
  ): Item[] | undefined {
    if (!isSeq(node)) return this.#wrong(node, path, "a list");
    if (node.items.length > maxItems) return this.#wrong(node, path, `at most ${maxItems} items`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a parsed document holds nothing but nodes
    return node.items.flatMap((each, index) => item(each as Node, `${path}.${index}`) ?? []);
  }

  text(node: Node, path: string, is: (text: string) => boolean, expected: string): string | undefined {
    if (isScalar(node) && typeof node.value === "string" && is(node.value)) return node.value;
    return this.#wrong(node, path, expected);
  }

  choice<Choice extends string>(node: Node, path: string, choices: readonly Choice[]): Choice | undefined {
    const found = isScalar(node) ? choices.find((choice) => choice === node.value) : undefined;
    return found ?? this.#wrong(node, path, `one of ${choices.join(", ")}`);
  }

  integer(node: Node, path: string, min: number, max: number): number | undefined {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.#wrong(node, path, `a whole number from ${min} to ${max}`);
  }

  #wrong(node: Node, path: string, expected: string): undefined {
    const found = isScalar(node) ? JSON.stringify(String(node.value)).slice(0, 80) : "something else";
    this.complain(node.range?.[0] ?? 0, path, `expected ${expected}, found ${found}`, "see the guide to updates");
  }
}

const KEYS_HINT = "write `name: value`, one a line";

function isFieldOf<Values>(fields: Fields<Values>, name: string): name is Extract<keyof Values, string> {
  return Object.hasOwn(fields, name);
}
