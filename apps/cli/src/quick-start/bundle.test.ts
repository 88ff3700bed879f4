import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { writeBundle } from "./bundle.ts";
import { isUnchanged, stateOf } from "./input-file.ts";

const root = mkdtempSync(join(tmpdir(), "ashlar-bundle-"));
after(() => rmSync(root, { recursive: true }));
const bundle = join(root, "node_modules/.cache/ashlar/butane.cjs");

function start(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const input = "variant: flatcar\nversion: 1.0.0\n";
  return spawnSync(process.execPath, [bundle, ...args], { encoding: "utf8", input });
}

test("the bundle does what the sources do, and lets them do it once they have changed", async () => {
  await writeBundle(root);
  const { status, stdout } = start("butane");
  assert.deepEqual([status, stdout], [0, '{"ignition":{"version":"3.3.0"}}\n']);
  assert.equal(start("butane", "--none").status, 64);
  assert.match(start("ignition", "validate", "--help").stdout, /^Usage: ashlar ignition validate/u);

  mkdirSync(join(root, "apps/cli/src/quick-start"), { recursive: true });
  writeFileSync(join(root, "apps/cli/src/quick-start/main.ts"), 'console.log("from the sources");');
  assert.match(start("butane").stdout, /ignition/u);
  writeFileSync(bundle, readFileSync(bundle, "utf8").replace(/"state":"\d+/u, '"state":"0'));
  assert.equal(start("butane").stdout, "from the sources\n");
});

test("what is changed, replaced by the same or gone is not unchanged", () => {
  const path = join(root, "input");
  const matches = (change: () => void): boolean => {
    writeFileSync(path, "one");
    const inputs = [{ path: "input", state: stateOf(root, "input") }];
    assert.ok(isUnchanged(root, inputs));
    // The clock of files ticks every few milliseconds.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    change();
    return isUnchanged(root, inputs);
  };
  assert.equal(
    matches(() => writeFileSync(path, "two")),
    false,
  );
  assert.equal(
    matches(() => {
      copyFileSync(path, `${path}.copy`);
      rmSync(path);
      copyFileSync(`${path}.copy`, path);
    }),
    false,
  );
  assert.equal(
    matches(() => rmSync(path)),
    false,
  );
});

test("where nothing can be written, nothing is", async () => {
  const other = join(root, "other");
  mkdirSync(other);
  writeFileSync(join(other, "node_modules"), "a file");
  await writeBundle(other);
  assert.ok(!existsSync(join(other, "node_modules/.cache")));
});
