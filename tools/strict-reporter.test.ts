import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const directory = mkdtempSync(join(tmpdir(), "ashlar-reporter-"));
after(() => rmSync(directory, { recursive: true }));

function runTests(source: string) {
  const file = join(directory, "some.test.ts");
  writeFileSync(file, `import { test } from "node:test";\n${source}`);
  const reporter = join(import.meta.dirname, "strict-reporter.ts");
  // Without this variable the inner run does not take itself for a part of this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const result = spawnSync(process.execPath, ["--test", `--test-reporter=${reporter}`, file], {
    encoding: "utf8",
    env,
  });
  return { status: result.status, output: result.stdout.replaceAll(`${directory}/`, "") };
}

test("a skipped test fails the run and is named with its reason", () => {
  assert.deepEqual(
    runTests(`test("runs", () => {}); test("waits", { skip: "no sfdisk" }, () => {}); test.skip("rests");`),
    {
      status: 1,
      output:
        "skipped: some.test.ts: waits (no sfdisk)\nskipped: some.test.ts: rests\n" +
        "unit tests: 1 of 3 passed, 2 skipped\n",
    },
  );
});

test("without skipped tests the run is what its tests are", () => {
  const passed = { status: 0, output: "unit tests: 1 of 1 passed, 0 skipped\n" };
  assert.deepEqual(runTests(`test("runs", () => {});`), passed);
  const failed = { status: 1, output: "unit tests: 0 of 1 passed, 0 skipped\n" };
  assert.deepEqual(runTests(`test("breaks", () => { throw new Error("so"); });`), failed);
});
