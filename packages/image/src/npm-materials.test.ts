import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { npmMaterials, npmPackageOf, readLock } from "./npm-materials.ts";

const REPOSITORY = join(import.meta.dirname, "../../..");

test("packages have the digest of the lock file, in hexadecimal, and the purl of npm", async () => {
  const lock = await readLock(REPOSITORY);
  const [yaml, models] = npmMaterials(lock, ["node_modules/yaml", "node_modules/@tufjs/models"], "content");
  assert.match(yaml?.uri ?? "", /^pkg:npm\/yaml@\d+\.\d+\.\d+$/u);
  assert.match(models?.uri ?? "", /^pkg:npm\/%40tufjs\/models@/u);
  const { integrity = "" } = lock["node_modules/yaml"] ?? {};
  assert.equal(`sha512-${Buffer.from(yaml?.digest["sha512"] ?? "", "hex").toString("base64")}`, integrity);
  assert.deepEqual(yaml?.annotations, { role: "content" });
});

test("a package that is not locked by a SHA-512 is refused", () => {
  for (const locked of [undefined, { version: "1" }, { version: "1", integrity: "sha1-AAAA" }]) {
    const lock = locked === undefined ? {} : { "node_modules/a": locked };
    assert.throws(() => npmMaterials(lock, ["node_modules/a"], "build"), { code: "malformed" });
  }
});

test("the package of a file is the innermost", () => {
  for (const [path, directory] of [
    ["node_modules/yaml/dist/index.js", "node_modules/yaml"],
    ["node_modules/@tufjs/models/dist/index.js", "node_modules/@tufjs/models"],
    ["node_modules/a/node_modules/b/c.js", "node_modules/a/node_modules/b"],
    ["packages/base/src/index.ts", undefined],
  ] as const)
    assert.equal(npmPackageOf(path), directory);
});
