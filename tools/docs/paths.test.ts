import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
/** Between backquotes, in a folder of the repository; a word in capitals stands for many names. */
const PATH = /`((?:packages|apps|test|tools|os|docs|recipes|examples)\/[\w./-]+)`/gu;

test("every path that a document names is there", () => {
  const documents = globSync(["*.md", "docs/**/*.md", "packages/*/README.md", "apps/*/README.md"], { cwd: ROOT });
  const missing = documents.flatMap((document) =>
    [...readFileSync(join(ROOT, document), "utf8").matchAll(PATH)]
      .map(([, path = ""]) => path)
      .filter((path) => !/\/[A-Z]{2,}(?:\/|\.(?!md)|$)/u.test(path))
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${document}: ${path}`),
  );
  assert.deepEqual(missing, []);
});
