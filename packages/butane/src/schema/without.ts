import type { Field, ObjectSchema, Schema } from "./schema.ts";

/** A schema without some keys, each named by its path in Ignition JSON, where a list counts as its items. */
export function without(schema: ObjectSchema, paths: readonly string[]): ObjectSchema {
  const fields: Field[] = [];
  for (const field of schema.fields) {
    if (paths.includes(field.json)) continue;
    const inner = paths.filter((path) => path.startsWith(`${field.json}.`));
    const rest = inner.map((path) => path.slice(field.json.length + 1));
    fields.push(rest.length === 0 ? field : { ...field, schema: withoutIn(field.schema, rest) });
  }
  return { ...schema, fields };
}

function withoutIn(schema: Schema, paths: readonly string[]): Schema {
  if (schema.kind === "list") return { kind: "list", of: withoutIn(schema.of, paths) };
  return schema.kind === "object" ? without(schema, paths) : schema;
}
