import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { translate, type LocalFiles } from "../index.ts";
import { limited } from "../local/local-files.ts";

const HEAD = "variant: flatcar\nversion: 1.1.0\n";
/** Any of these inputs takes a small part of it. Of the processor's time: a loaded machine is slow, not wrong. */
const MAX_CPU_MS = 5000;

function refusal(text: string, files?: LocalFiles): string {
  const start = process.cpuUsage();
  const { ignition, report } = translate(text, files === undefined ? {} : { files });
  const { user, system } = process.cpuUsage(start);
  assert.ok((user + system) / 1000 < MAX_CPU_MS, text.slice(0, 100));
  assert.equal(ignition, undefined);
  return report.find(({ severity }) => severity === "error")?.message ?? "";
}

function levels(count: number, first: string, next: (below: string) => string): string {
  const lines = Array.from(
    { length: count },
    (_, level) => `a${level}: &a${level} ${level === 0 ? first : next(`*a${level - 1}`)}`,
  );
  return `${HEAD}${lines.join("\n")}\n`;
}

test("aliases cannot grow a document without end", () => {
  const lists = levels(12, "[x, x, x, x, x, x, x, x, x]", (below) => `[${Array(9).fill(below).join(", ")}]`);
  assert.match(
    refusal(`${lists}passwd: {users: [{name: x, groups: *a11}]}\n`),
    /expected a single|expected text, found a list/u,
  );
  const maps = levels(9, "{path: /a}", (below) => `{<<: [${Array(9).fill(below).join(", ")}]}`);
  assert.match(refusal(`${maps}storage: {files: [*a8]}\n`), /expected aliases to add at most 100000 values/u);
  const users = Array.from({ length: 10 }, (_, index) => `{name: u${index}, groups: *a}`).join(", ");
  const wide = `${HEAD}a: &a [${"x, ".repeat(11_000)}]\npasswd: {users: [${users}]}\n`;
  assert.match(refusal(wide), /expected aliases to add at most 100000 values/u);
});

test("nesting and size end where no schema goes", () => {
  for (const text of ["[".repeat(20_000), "{a: ".repeat(10_000), "- ".repeat(10_000)]) {
    assert.match(refusal(HEAD + text), /expected at most 64 lists and maps inside each other/u);
    assert.match(refusal(text), /expected at most 64 lists and maps inside each other/u);
  }
  assert.match(refusal("#".repeat(16 * 1024 * 1024 + 1)), /expected at most 16777216 characters, found 16777217/u);
});

test("many problems are reported in linear time", () => {
  const unknown = Array.from({ length: 10_000 }, (_, index) => `key${index}: 1\n`).join("");
  assert.equal(translate(HEAD + unknown).report.length, 10_000);
  assert.match(refusal(HEAD + "a: 1\n".repeat(10_000)), /expected each key once, found a again/u);
});

test("trees have limits in number and depth, and local files are needed", () => {
  const endless: LocalFiles = {
    look: (path) => ({ kind: path.endsWith("file") ? "file" : "directory" }),
    read: () => new Uint8Array(0),
    list: () => ["directory"],
  };
  const tree = `${HEAD}storage: {trees: [{local: a}]}\n`;
  assert.match(refusal(tree, endless), /expected at most 64 directories inside each other/u);
  const names = Array.from({ length: 10_001 }, (_, index) => `${index}-file`);
  assert.match(refusal(tree, { ...endless, list: () => names }), /expected at most 10000 entries in trees/u);
  const large = { ...endless, read: () => new Uint8Array(16 * 1024 * 1024 + 1) };
  const file = `${HEAD}storage: {files: [{path: /a, contents: {local: a}}]}\n`;
  assert.match(refusal(file, large), /expected at most 16777216 bytes in a file, found more at a/u);
  const full = limited({ ...endless, read: () => new Uint8Array(16 * 1024 * 1024) });
  for (let count = 0; count < 8; count += 1) full.read("a");
  assert.throws(() => full.read("a"), /expected at most 134217728 bytes in all local files, found more at a/u);
  assert.match(refusal(tree), /expected a directory of local files, found none/u);
  const failing: LocalFiles = {
    ...endless,
    look: () => {
      throw new AshlarError("not-found", "expected a, found none");
    },
  };
  assert.match(refusal(tree, failing), /expected a, found none/u);
});
