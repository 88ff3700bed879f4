import assert from "node:assert/strict";
import { test } from "node:test";
import { findViolations } from "./find-violations.ts";
import type { Workspace } from "./read-workspaces.ts";

/** Three workspaces that keep every rule; `change` breaks one. */
function workspaces(change: { file?: string; text?: string; declared?: string[]; references?: string[] }): Workspace[] {
  const empty = { declared: [], references: [], files: [] };
  const text = change.text ?? 'import { run } from "@ashlar/host";';
  return [
    { ...empty, directory: "packages/base", name: "@ashlar/base", doors: ["@ashlar/base"] },
    {
      ...empty,
      directory: "packages/host",
      name: "@ashlar/host",
      doors: ["@ashlar/host", "@ashlar/host/processes", "@ashlar/host/test-fixtures"],
    },
    {
      directory: change.file?.split("/src/")[0] ?? "packages/lab",
      name: "@ashlar/lab",
      doors: ["@ashlar/lab"],
      declared: change.declared ?? ["@ashlar/host"],
      references: change.references ?? ["packages/host"],
      files: [{ path: change.file ?? "packages/lab/src/a.ts", text }],
    },
  ];
}

test("workspaces that keep the rules give no violation", () => {
  assert.deepEqual(findViolations(workspaces({})), []);
  assert.deepEqual(findViolations(workspaces({ text: 'import { a } from "@ashlar/host/processes";' })), []);
});

test("an import of a later layer is a violation", () => {
  const [found] = findViolations(workspaces({ file: "packages/formats/src/a.ts" }));
  assert.match(found ?? "", /^packages\/formats\/src\/a.ts:1: packages\/formats must not import packages\/host/u);
});

test("imports from a package's inside and across workspaces by path are violations", () => {
  const deep = workspaces({ text: '\nexport { run } from "@ashlar/host/src/run.ts";\nimport "@ashlar/host";' });
  assert.match(findViolations(deep).join("\n"), /^packages\/lab\/src\/a.ts:2: expected an import of @ashlar\/host/u);
  // In two pieces, since the check reads this file too.
  const path = ["import", '"../../host/src/run.ts";'].join(" ");
  const byPath = workspaces({ text: `import "@ashlar/host";\n${path}` });
  assert.match(findViolations(byPath).join("\n"), /^packages\/lab\/src\/a.ts:2: expected an import by package name/u);
});

test("a pure package may hash, but not read files, clocks or randomness; its tests may", () => {
  const text = [
    'import { run } from "@ashlar/host"; // Date.now() in a comment is nothing',
    'import { hash } from "node:crypto";',
    'import { readFile } from "node:fs/promises";',
    "const now = Date.now();",
    "const key = randomBytes(16);",
  ].join("\n");
  const found = findViolations(workspaces({ file: "packages/identity/src/a.ts", text })).join("\n");
  assert.match(found, /:3: packages\/identity is pure: expected no input or output, found node:fs\/promises/u);
  assert.match(found, /:4: .* no use of a clock/u);
  assert.match(found, /:5: .* no use of randomness/u);
  assert.doesNotMatch(found, /:2:|:1: .* clock/u);
  const inTest = findViolations(workspaces({ file: "packages/identity/src/a.test.ts", text }));
  assert.doesNotMatch(inTest.join("\n"), /is pure/u);
});

test("package.json and tsconfig.json must name what is imported", () => {
  const undeclared = findViolations(workspaces({ declared: [], references: [] }));
  assert.match(undeclared.join("\n"), /expected @ashlar\/host among the dependencies/u);
  assert.deepEqual(findViolations(workspaces({ references: [] })), [
    "packages/lab/tsconfig.json: expected a reference to packages/host",
  ]);
  const unused = workspaces({ declared: ["@ashlar/host", "@ashlar/base"], references: ["packages/host"] });
  assert.match(findViolations(unused).join("\n"), /declares packages\/base, which nothing here imports/u);
});

test("a folder of the agent imports only the folders that are listed for it; its tests may import all", () => {
  const folders = (file: string, text: string): string =>
    findViolations(workspaces({ file: `apps/agent/src/${file}`, text, declared: [], references: [] })).join("\n");
  // In two pieces, since the check reads this file too.
  const importOf = (path: string): string => ["import", `"${path}";`].join(" ");
  assert.equal(folders("answer/api.ts", importOf("../shared/refusal.ts")), "");
  assert.match(folders("answer/api.ts", importOf("../updater/order-book.ts")), /:1: answer must not import updater/u);
  assert.match(
    folders("updater/extensions/a.ts", importOf("../../refresher/merge.ts")),
    /updater must not import refresher/u,
  );
  assert.match(folders("shared/a.ts", importOf("../main.ts")), /shared must not import what is in src itself/u);
  assert.match(folders("cellar/a.ts", importOf("../shared/a.ts")), /src\/cellar has no place/u);
  assert.equal(folders("answer/api.test.ts", importOf("../updater/order-book.ts")), "");
});

test("what builds and what runs on a node do not see each other; a node loads no library that is not listed", () => {
  const empty = { doors: [], references: [], files: [] };
  const main = (text: string): string =>
    findViolations([
      { ...empty, directory: "packages/keys", name: "@ashlar/keys", doors: ["@ashlar/keys"], declared: [] },
      {
        ...empty,
        directory: "packages/protocol",
        name: "@ashlar/protocol",
        doors: ["@ashlar/protocol", "@ashlar/protocol/answers"],
        doorFiles: new Map([["@ashlar/protocol/answers", "packages/protocol/src/answers.ts"]]),
        declared: [],
        files: [{ path: "packages/protocol/src/answers.ts", text: 'import { z } from "zod";' }],
      },
      {
        ...empty,
        directory: "apps/agent",
        name: "@ashlar/agent",
        declared: ["@ashlar/keys", "@ashlar/protocol"],
        references: ["packages/keys", "packages/protocol"],
        files: [{ path: "apps/agent/src/main.ts", text }],
      },
    ]).join("\n");
  assert.match(main('import { a } from "@ashlar/keys";'), /apps\/agent must not import packages\/keys/u);
  assert.match(main('import { a } from "@ashlar/protocol/answers";'), /answers.ts:1: a node loads zod/u);
  assert.doesNotMatch(main('import type { a } from "@ashlar/protocol/answers";'), /zod/u);
});

test("only one file prints", () => {
  const found = (file: string, text: string): string =>
    findViolations(workspaces({ file, text, declared: [], references: [] })).join("\n");
  for (const text of [
    "console.error(x);",
    "process.stdout.write(x);",
    "const { stderr } = process; stderr.write(x);",
  ]) {
    assert.match(found("apps/agent/src/a.ts", text), /:1: expected @ashlar\/host\/terminal to print/u, text);
    assert.equal(found("apps/agent/src/a.test.ts", text), "");
  }
  assert.equal(found("apps/agent/src/a.ts", 'join(directory, "console.log");'), "");
});

test("what users run does not import what only tests use; tests and their helpers do", () => {
  for (const specifier of ["@ashlar/host/test-fixtures", "./test-labs.ts"]) {
    // In two pieces, since the check reads this file too.
    const text = ["import", `"${specifier}";\nimport "@ashlar/host";`].join(" ");
    const found = (file: string): string => findViolations(workspaces({ file, text })).join("\n");
    assert.match(found("packages/lab/src/a.ts"), /a\.ts:1: expected no import of what only tests use/u);
    assert.equal(found("packages/lab/src/a.test.ts"), "");
    assert.equal(found("packages/lab/src/test-labs-2.ts"), "");
  }
});
