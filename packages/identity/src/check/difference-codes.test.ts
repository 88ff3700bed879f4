import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DIFFERENCE_CODES } from "./difference-codes.ts";

test("each code is one that something gives, and has one sentence of its own", () => {
  const directory = join(import.meta.dirname, "../../..");
  const sources = globSync("{identity,verifier}/src/**/*.ts", { cwd: directory })
    .filter((path) => !/test|difference-codes/u.test(path))
    .map((path) => readFileSync(join(directory, path), "utf8"))
    .join("\n");
  for (const code of Object.keys(DIFFERENCE_CODES)) {
    const isGiven =
      sources.includes(`"${code}"`) || (code.endsWith("-config") && sources.includes("code: `${part}-config`"));
    assert.ok(isGiven, code);
    assert.match(code, /^[a-z]+(?:-[a-z]+)*$/u);
  }
  const sentences = Object.values(DIFFERENCE_CODES);
  assert.equal(new Set(sentences).size, sentences.length);
  for (const sentence of sentences) assert.match(sentence, /^[A-Z].{10,90}\.$/u);
});
