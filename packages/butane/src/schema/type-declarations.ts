import type { Field, ObjectSchema, Schema } from "./schema.ts";

/** TypeScript declarations of the Ignition form of a config: one exported type for each kind of object. */
export function typeDeclarations(schema: ObjectSchema): string {
  const declared = new Map<string, string>();
  declare(schema, declared);
  const header = "/** Generated from schema.ts: `BUTANE_RECORD=1 node --test packages/butane/src/schema`. */\n";
  return [header, ...[...declared.values()].toReversed()].join("\n");
}

/** Objects of one name have the same keys wherever they stand, so the first one is described. */
function declare(schema: ObjectSchema, declared: Map<string, string>): void {
  if (declared.has(schema.name)) return;
  declared.set(schema.name, "");
  const fields = schema.fields.filter((field) => field.language !== "butane");
  const members = fields.map((field) => member(field, declared));
  declared.set(schema.name, `export type ${schema.name} = {\n${members.join("")}};\n`);
}

function member(field: Field, declared: Map<string, string>): string {
  const optional = field.presence === "required" ? "" : "?";
  return `  readonly ${field.json}${optional}: ${typeName(field.schema, declared)};\n`;
}

function typeName(schema: Schema, declared: Map<string, string>): string {
  switch (schema.kind) {
    case "object":
      declare(schema, declared);
      return schema.name;
    case "list":
      return `readonly ${typeName(schema.of, declared)}[]`;
    case "integer":
      return "number";
    case "string":
    case "boolean":
      return schema.kind;
    default:
      return schema satisfies never;
  }
}
