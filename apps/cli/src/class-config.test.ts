import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { readClassConfig } from "./class-config.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-class-config-"));
after(() => rmSync(directory, { recursive: true }));
const config = join(directory, "worker.bu");
const text = "variant: flatcar\nversion: 1.0.0\nstorage: {files: [{path: /etc/a, contents: {local: a}}]}\n";
writeFileSync(config, text);
mkdirSync(join(directory, "files"));
writeFileSync(join(directory, "files/a"), "hello");

test("local files come from the directory that was named", async () => {
  const json = Buffer.from(await readClassConfig(config, join(directory, "files"))).toString();
  assert.match(json, /"source":"data:,hello"/u);
});

test("without a directory, local files are errors whose advice is to name one", async (context) => {
  const printed = context.mock.method(process.stderr, "write", () => true);
  const isInvalid = (error: unknown): boolean => error instanceof AshlarError && error.code === "invalid";
  await assert.rejects(readClassConfig(config, undefined), isInvalid);
  const output = printed.mock.calls.map((call) => String(call.arguments[0])).join("");
  printed.mock.restore();
  assert.match(output, /name it with --files-dir/u);
});
