import type { Field, ObjectSchema, Schema } from "./schema.ts";

/** A JSON Schema (draft 7, which editors' YAML support reads) of the YAML form of a config. */
export type JsonSchema = { readonly [key: string]: unknown };

export function jsonSchema(title: string, schema: ObjectSchema): JsonSchema {
  return { $schema: "http://json-schema.org/draft-07/schema#", title, ...objectType(schema) };
}

function objectType(schema: ObjectSchema): JsonSchema {
  const fields = schema.fields.filter((field) => field.language !== "ignition");
  const needed = fields.filter((field) => field.presence === "required").map((field) => field.yaml);
  return {
    type: "object",
    additionalProperties: false,
    ...(needed.length === 0 ? {} : { required: needed }),
    properties: Object.fromEntries(fields.map((field) => [field.yaml, property(field)])),
  };
}

function property(field: Field): JsonSchema {
  const values = field.values === undefined ? {} : { enum: field.values };
  return { description: field.text, ...typeOf(field.schema), ...values };
}

function typeOf(schema: Schema): JsonSchema {
  switch (schema.kind) {
    case "object":
      return objectType(schema);
    case "list":
      return { type: "array", items: typeOf(schema.of) };
    case "string":
      // Numbers and words without quotes are texts where a text is wanted.
      return { type: ["string", "number", "boolean"] };
    case "integer":
    case "boolean":
      return { type: schema.kind };
    default:
      return schema satisfies never;
  }
}
