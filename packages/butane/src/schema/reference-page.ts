import type { Field, ObjectSchema, Schema } from "./schema.ts";

/** A page in Markdown that lists all keys of the YAML form of a config, a section for each key at the top. */
export function referencePage(title: string, introduction: string, schema: ObjectSchema): string {
  const fields = yamlFields(schema);
  const scalars = fields.filter((field) => objectIn(field.schema) === undefined);
  const sections = fields.filter((field) => objectIn(field.schema) !== undefined);
  const blocks = [
    `# ${title}`,
    introduction,
    table(scalars.flatMap((field) => rows(field, ""))),
    ...sections.flatMap((field) => [`## ${field.yaml}`, field.text, table(children(field, ""))]),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function table(lines: readonly string[]): string {
  return ["| key | type | meaning |", "|---|---|---|", ...lines].join("\n");
}

/** A line for the key itself and one for each key below it; `[]` stands for each item of a list. */
function rows(field: Field, above: string): string[] {
  const path = above + field.yaml + (field.schema.kind === "list" ? "[]" : "");
  const needed = field.presence === "required" ? " Required." : "";
  const values = field.values?.map((value) => `\`${value === "" ? '""' : value}\``).join(", ");
  const accepted = values === undefined ? "" : ` One of ${values}.`;
  const meaning = `${field.text}${needed}${accepted}`.replaceAll("|", "\\|");
  return [`| \`${path}\` | ${TYPE[scalarIn(field.schema)]} | ${meaning} |`, ...children(field, `${path}.`)];
}

function children(field: Field, above: string): string[] {
  const inner = objectIn(field.schema);
  return inner === undefined ? [] : yamlFields(inner).flatMap((child) => rows(child, above));
}

const TYPE = { string: "text", integer: "whole number", boolean: "true or false", object: "keys" } as const;

function yamlFields(schema: ObjectSchema): readonly Field[] {
  return schema.fields.filter((field) => field.language !== "ignition");
}

function objectIn(schema: Schema): ObjectSchema | undefined {
  if (schema.kind === "list") return objectIn(schema.of);
  return schema.kind === "object" ? schema : undefined;
}

function scalarIn(schema: Schema): keyof typeof TYPE {
  return schema.kind === "list" ? scalarIn(schema.of) : schema.kind;
}
