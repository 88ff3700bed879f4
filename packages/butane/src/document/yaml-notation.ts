import { textOfBytes } from "./byte-text.ts";
import { shortened, type Notation, type ScalarResult } from "./decode.ts";
import { resolveScalar, type ScalarValue } from "./scalar.ts";
import type { ScalarTree, Tree } from "./tree.ts";

/** How YAML scalars become values: by the key that holds them, leniently, as the reference does. */
export const yamlNotation: Notation = { language: "yaml", scalar: readScalar, isMergeKey };

const MAX_INTEGER = 2n ** 63n - 1n;

/** Beside true and false. Also when quoted: that is how the reference reads them. */
const TRUTHS: ReadonlySet<string> = new Set(["y", "Y", "yes", "Yes", "YES", "on", "On", "ON"]);
const FALSEHOODS: ReadonlySet<string> = new Set(["n", "N", "no", "No", "NO", "off", "Off", "OFF"]);

function readScalar(tree: ScalarTree, kind: "string" | "integer" | "boolean"): ScalarResult {
  const value = resolveScalar(tree);
  if (value.type === "contradiction")
    return { value: undefined, found: `“${shortened(tree.text)}” tagged !!${value.tag}` };
  if (value.type === "null") return { value: null };
  if (kind === "integer") return readInteger(tree, value);
  if (kind === "boolean") return readBoolean(tree, value);
  return value.type === "binary" ? decodeBinary(tree.text) : { value: tree.text };
}

function readInteger(tree: ScalarTree, value: ScalarValue): ScalarResult {
  if (value.type === "integer" && value.value <= MAX_INTEGER) return { value: compactInteger(value.value) };
  if (value.type === "float" && value.value < Number(MAX_INTEGER)) {
    const whole = Math.trunc(value.value);
    return { value: compactInteger(whole < -Number(MAX_INTEGER) ? -MAX_INTEGER - 1n : BigInt(whole)) };
  }
  const hint = tree.quoted && /^\d+$/u.test(tree.text) ? "remove the quotes" : undefined;
  return refused(tree, hint);
}

function readBoolean(tree: ScalarTree, value: ScalarValue): ScalarResult {
  if (value.type === "boolean") return { value: value.value };
  if (value.type === "string" && TRUTHS.has(tree.text)) return { value: true };
  if (value.type === "string" && FALSEHOODS.has(tree.text)) return { value: false };
  return refused(tree, tree.quoted && /^(?:true|false)$/iu.test(tree.text) ? "remove the quotes" : undefined);
}

function refused(tree: ScalarTree, hint: string | undefined): ScalarResult {
  const found = `“${shortened(tree.text)}”`;
  return hint === undefined ? { value: undefined, found } : { value: undefined, found, hint };
}

/** Whole numbers are numbers while these are exact. */
function compactInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** With padding (RFC 4648, section 4). */
const BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/u;

function decodeBinary(text: string): ScalarResult {
  const characters = text.replaceAll("\n", "");
  if (!BASE64.test(characters)) return { value: undefined, found: `“${shortened(text)}”, which is not base64` };
  return { value: textOfBytes(Uint8Array.from(atob(characters), (character) => character.charCodeAt(0))) };
}

function isMergeKey(key: Tree): boolean {
  return key.kind === "scalar" && key.text === "<<" && !key.quoted && key.tag === undefined;
}
