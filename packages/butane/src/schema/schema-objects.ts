import { isObject, type Decoded, type DecodedObject } from "../document/decoded.ts";
import type { ObjectSchema, Schema } from "./schema.ts";

/** An object somewhere in a config, and its schema. */
export type SchemaObject = { readonly name: string; readonly value: DecodedObject; readonly schema: ObjectSchema };

/** All objects of a decoded Ignition config, each before its parts, in the order of the schema. */
export function* schemaObjects(value: Decoded, schema: Schema): Generator<SchemaObject> {
  if (schema.kind === "list" && Array.isArray(value)) {
    if (schema.of.kind === "object") for (const item of value) yield* schemaObjects(item, schema.of);
  } else if (schema.kind === "object" && isObject(value)) {
    yield { name: schema.name, value, schema };
    for (const field of schema.fields) {
      const child = value[field.json];
      if (child !== undefined && field.language !== "butane") yield* schemaObjects(child, field.schema);
    }
  }
}
