import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { BUTANE_VERSIONS, translate, validateIgnition } from "../index.ts";
import type { ObjectSchema, Schema } from "../schema/schema.ts";

/** Values that are valid wherever a key of this name stands. Keys without any take any text. */
const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  compression: fc.constantFrom("", "gzip"),
  contents: fc.constantFrom("[Unit]\nA=b\n", "[Install]\nWantedBy=x\n", ""),
  device: fc.integer({ min: 0 }).map((number) => `/dev/d${number}`),
  format: fc.constantFrom("ext4", "xfs", "btrfs", "vfat", "swap"),
  guid: fc.uuid(),
  hash: fc.constantFrom(`sha512-${"0".repeat(128)}`, `sha256-${"f".repeat(64)}`),
  http_proxy: fc.constant("http://proxy"),
  https_proxy: fc.constant("https://proxy"),
  label: fc.integer({ min: 0, max: 9999 }).map((number) => `label${number}`),
  level: fc.constantFrom("raid1", "raid5"),
  mode: fc.integer({ min: 0, max: 0o777 }),
  path: fc.integer({ min: 0 }).map((number) => `/p${number}`),
  size_mib: fc.constant(10),
  source: fc.integer({ min: 0 }).map((number) => `https://host/${number}`),
  target: fc.constant("/target"),
  type_guid: fc.uuid(),
};

/** Keys that depend on others in ways that VALUES cannot say. */
const OMITTED: ReadonlySet<string> = new Set(
  "clevis contents_local group local partitions replace should_exist source ssh_authorized_keys_local start_mib trees user http_headers overwrite".split(
    " ",
  ),
);
const ALWAYS: ReadonlySet<string> = new Set("device devices format inline level path target".split(" "));

function valid(schema: Schema, key: string, holder: string): fc.Arbitrary<unknown> {
  if (schema.kind === "object") return validObject(schema);
  if (key === "devices") return fc.uniqueArray(VALUES["device"] ?? fc.string(), { minLength: 1, maxLength: 3 });
  if (schema.kind === "list") {
    const selector = (item: unknown): unknown => identityOf(item);
    return fc.uniqueArray(valid(schema.of, key, holder), { maxLength: 3, selector });
  }
  if (key === "name" && holder === "Unit") return fc.integer({ min: 0 }).map((number) => `u${number}.service`);
  if (key === "name" && holder === "Dropin") return fc.integer({ min: 0 }).map((number) => `d${number}.conf`);
  const known = VALUES[key];
  if (known !== undefined) return known;
  if (schema.kind === "boolean") return fc.boolean();
  return schema.kind === "integer"
    ? fc.nat()
    : fc.string({ unit: "grapheme-ascii", minLength: 1 }).map((text) => text.replaceAll("/", "-"));
}

/** What Ignition tells the items of a list apart by. */
function identityOf(item: unknown): unknown {
  if (typeof item !== "object" || item === null) return item;
  const { path, device, name, inline } = item as Record<string, unknown>;
  return path ?? device ?? name ?? inline;
}

function validObject(schema: ObjectSchema): fc.Arbitrary<object> {
  const needed: string[] = [];
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of schema.fields) {
    if (field.language === "ignition" || OMITTED.has(field.yaml) || ["variant", "version"].includes(field.yaml))
      continue;
    model[field.yaml] = valid(field.schema, field.yaml, schema.name);
    if (field.presence === "required" || ALWAYS.has(field.yaml)) needed.push(field.yaml);
  }
  return fc.record(model, { requiredKeys: needed });
}

for (const { variant, version, schema } of BUTANE_VERSIONS) {
  test(`valid configs of ${version} become valid Ignition configs, the same each time`, () => {
    const property = fc.property(validObject(schema), (config) => {
      // Nodes share one name space, in which the parts were generated apart.
      const text = JSON.stringify({ ...config, variant, version }).replaceAll('"/p', () => `"/p${(counter += 1)}x`);
      const { ignition, report } = translate(text);
      assert.ok(ignition !== undefined, `${text}\n${JSON.stringify(report)}`);
      assert.deepEqual(
        validateIgnition(ignition).filter(({ severity }) => severity === "error"),
        [],
      );
      assert.equal(translate(text).ignition, ignition);
    });
    fc.assert(property, { numRuns: 40, seed: 3 });
  });
}
let counter = 0;

test("Debian's ignition-validate, where it is installed, accepts what comes out", (context) => {
  if (spawnSync("ignition-validate", ["-version"]).error !== undefined) {
    context.diagnostic("no ignition-validate here");
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), "ashlar-ignition-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "config.ign");
  const [oldest] = BUTANE_VERSIONS;
  assert.ok(oldest !== undefined);
  for (const config of fc.sample(validObject(oldest.schema), { numRuns: 20, seed: 7 })) {
    const text = JSON.stringify({ ...config, variant: oldest.variant, version: oldest.version });
    const { ignition } = translate(text.replaceAll('"/p', () => `"/p${(counter += 1)}x`));
    writeFileSync(path, ignition ?? "");
    const { status, stderr } = spawnSync("ignition-validate", [path], { encoding: "utf8" });
    assert.equal(status, 0, `${ignition}\n${stderr}`);
  }
});

test("any text gives a report, and any change of a config does", () => {
  const config = `variant: flatcar\nversion: 1.1.0\nstorage:\n  files:\n    - path: /a\n      mode: 0644\n      contents: {inline: "a"}\n`;
  const mutated = fc
    .tuple(fc.nat(config.length), fc.nat(9), fc.string({ unit: "binary", maxLength: 4 }))
    .map(([start, count, text]) => config.slice(0, start) + text + config.slice(start + count));
  const pieces = fc.constantFrom(
    ..."&a *a << : ? - [ ] { } , | > ' \" # % @ ` ! !! \\ \n \t --- ... variant: flatcar storage files".split(" "),
    "\n",
    "  ",
  );
  const soup = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(""));
  const any = fc.oneof(
    fc.string({ unit: "binary" }),
    mutated,
    soup,
    soup.map((text) => `${config}${text}`),
  );
  fc.assert(
    fc.property(any, (text) => {
      for (const report of [translate(text).report, validateIgnition(text)]) assert.ok(Array.isArray(report));
    }),
    { numRuns: 400, seed: 5 },
  );
});
