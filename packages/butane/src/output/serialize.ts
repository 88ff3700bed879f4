import type { Decoded, DecodedObject } from "../document/decoded.ts";
import type { Field, ObjectSchema, Schema } from "../schema/schema.ts";

/**
 * Prints a config as the reference does: keys in the order of the schema, nothing that is empty by default, and the
 * escapes of Go's encoder, which also keeps the text safe inside HTML.
 */
export function serialize(
  config: DecodedObject,
  schema: ObjectSchema,
  options: { readonly pretty?: boolean } = {},
): string {
  return printObject(config, schema, options.pretty === true ? "\n" : "");
}

/** `line` is what starts a new line at this depth: a line feed and the indentation, or nothing in the compact form. */
function printObject(value: DecodedObject, schema: ObjectSchema, line: string): string {
  const inner = line === "" ? "" : `${line}  `;
  const colon = line === "" ? ":" : ": ";
  const members: string[] = [];
  for (const field of schema.fields) {
    const printed = field.language === "butane" ? undefined : printMember(value[field.json], field, inner);
    if (printed !== undefined) members.push(`${inner}"${field.json}"${colon}${printed}`);
  }
  return members.length === 0 ? "{}" : `{${members.join(",")}${line}}`;
}

function printMember(value: Decoded | undefined, field: Field, line: string): string | undefined {
  if (value === undefined || (field.presence === "nonzero" && value === 0)) return undefined;
  const printed = print(value, field.schema, line);
  return (field.schema.kind === "object" && printed === "{}") || printed === "[]" ? undefined : printed;
}

function print(value: Decoded, schema: Schema, line: string): string {
  if (typeof value === "string") return printString(value);
  if (typeof value !== "object") return String(value);
  if (isList(value)) return schema.kind === "list" ? printList(value, schema.of, line) : "[]";
  return schema.kind === "object" ? printObject(value, schema, line) : "{}";
}

function printList(items: readonly Decoded[], of: Schema, line: string): string {
  if (items.length === 0) return "[]";
  const inner = line === "" ? "" : `${line}  `;
  return `[${items.map((item) => inner + print(item, of, inner)).join(",")}${line}]`;
}

function isList(value: readonly Decoded[] | DecodedObject): value is readonly Decoded[] {
  return Array.isArray(value);
}

/** Strings without any of these are printed as they are. */
const NEEDS_ESCAPE = /[^ !#-%'-;=?-[\]-\u007e]/u;
const ESCAPED = /["\\<>&\p{Cc}\u2028\u2029]/gu;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function printString(value: string): string {
  if (!NEEDS_ESCAPE.test(value)) return `"${value}"`;
  const escaped = value.toWellFormed().replaceAll(ESCAPED, (character) => {
    if (character >= "\u007f" && character <= "\u009f") return character;
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return SHORT[character] ?? `\\u${code}`;
  });
  return `"${escaped.replaceAll("\ufffd", "\\ufffd")}"`;
}
