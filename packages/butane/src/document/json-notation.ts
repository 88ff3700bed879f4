import { shortened, type Notation, type ScalarResult } from "./decode.ts";
import type { ScalarTree } from "./tree.ts";

/** How JSON scalars become values: each type has one form. */
export const jsonNotation: Notation = { language: "json", scalar: readScalar, isMergeKey: () => false };

function readScalar(tree: ScalarTree, kind: "string" | "integer" | "boolean"): ScalarResult {
  if (!tree.quoted && tree.text === "null") return { value: null };
  if (kind === "string" && tree.quoted) return { value: tree.text };
  if (kind === "boolean" && !tree.quoted && /^(?:true|false)$/u.test(tree.text)) return { value: tree.text === "true" };
  if (kind === "integer" && !tree.quoted && /^-?\d+$/u.test(tree.text)) return readInteger(tree.text);
  return { value: undefined, found: tree.quoted ? `“${shortened(tree.text)}”` : shortened(tree.text) };
}

function readInteger(text: string): ScalarResult {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return { value: number };
  // More digits than 64 bits have take long to convert.
  const exact = text.length > 20 ? 2n ** 64n : BigInt(text);
  const fits = exact >= -(2n ** 63n) && exact < 2n ** 63n;
  return fits ? { value: exact } : { value: undefined, found: shortened(text) };
}
