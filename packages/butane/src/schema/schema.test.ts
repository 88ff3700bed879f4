import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BUTANE_VERSIONS, butanePages, jsonSchema } from "../index.ts";
import type { ObjectSchema, Schema } from "./schema.ts";
import { typeDeclarations } from "./type-declarations.ts";

test("the types of each version are what its schema says", () => {
  for (const { variant, version, schema } of BUTANE_VERSIONS) {
    const path = join(import.meta.dirname, `../${variant}-${version}/ignition.ts`);
    const expected = typeDeclarations(schema);
    if (process.env["BUTANE_RECORD"] !== undefined) writeFileSync(path, expected);
    assert.equal(readFileSync(path, "utf8"), expected);
  }
});

test("schemas name each key once; what nodes have in common comes first", () => {
  for (const { schema } of BUTANE_VERSIONS) {
    for (const { name, fields } of objectsIn(schema)) {
      const names = fields.map((field) => field.json);
      assert.deepEqual(names, [...new Set(names)], name);
      if (!["Directory", "File", "Link"].includes(name)) continue;
      assert.deepEqual(names.slice(0, 4), ["group", "overwrite", "path", "user"]);
    }
  }
});

test("editors get a schema with each key and its description", () => {
  const [version] = BUTANE_VERSIONS;
  assert.ok(version !== undefined);
  const text = JSON.stringify(jsonSchema("title", version.schema));
  assert.match(text, /"with_mount_unit":\{"description":"[^"]+","type":"boolean"\}/u);
  assert.match(text, /"variant":\{"description":"Must be flatcar\.","type":\[.*?\],"enum":\["flatcar"\]\}/u);
  assert.doesNotMatch(text, /mountOptions|kernelArguments/u);
});

test("each version has a reference page and an editor's schema", () => {
  const pages = butanePages();
  assert.deepEqual([...pages.keys()].toSorted(), [
    "butane-flatcar-1.0.0.md",
    "butane-flatcar-1.1.0.md",
    "schemas/butane-flatcar-1.0.0.json",
    "schemas/butane-flatcar-1.1.0.json",
  ]);
  const page = pages.get("butane-flatcar-1.1.0.md") ?? "";
  assert.match(page, /\n## storage\n/u);
  assert.match(page, /\| `files\[\]\.contents\.inline` \| text \| .* \|/u);
  assert.match(page, /\| `users\[\]\.name` \| text \| .* Required\. \|/u);
});

function* objectsIn(schema: Schema): Generator<ObjectSchema> {
  if (schema.kind === "list") yield* objectsIn(schema.of);
  if (schema.kind !== "object") return;
  yield schema;
  for (const field of schema.fields) yield* objectsIn(field.schema);
}
