/** What is in examples/ can be used as it is, and is what documents, commands and tests name. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const NAMING = ["*.md", "{docs,recipes,apps,packages}/**/*.md", "{apps,packages,test}/**/*.ts"];

const examples = globSync("examples/**/*.bu", { cwd: ROOT }).toSorted();

for (const example of examples) {
  test(`${example} has no fault, and nothing in it is left out on a node`, () => {
    const args = ["butane", "--check", "--strict", "--target", "ashlar", example];
    execFileSync(join(ROOT, "ashlar"), args, { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
  });
}

test("each is named somewhere, and what is named is there", () => {
  const named = globSync(NAMING, { cwd: ROOT, exclude: (path) => path.includes("node_modules") }).flatMap((path) =>
    [...readFileSync(join(ROOT, path), "utf8").matchAll(/examples\/[\w/-]+\.bu/gu)].map(([example]) => example),
  );
  assert.deepEqual([...new Set(named)].toSorted(), examples);
});
