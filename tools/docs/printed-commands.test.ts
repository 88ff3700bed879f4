import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createProgram } from "@ashlar/cli";
import { Command } from "commander";
import { findWrongCommands } from "./printed-commands.ts";

const ROOT = join(import.meta.dirname, "../..");
/** What runs on a node has a command line of its own: `ashlar agent`, apps/agent/src/commands. */
const ON_A_NODE = /\bashlar agent\b/u;

test("every command that a document prints is there, with its options", async () => {
  const program = await createProgram();
  const documents = globSync(["README.md", "SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/guides/*.md"], {
    cwd: ROOT,
  });
  assert.ok(documents.length > 8);
  const wrong = documents.flatMap((document) =>
    findWrongCommands(program, readFileSync(join(ROOT, document), "utf8"))
      .filter((line) => !ON_A_NODE.test(line))
      .map((line) => `${document}: ${line}`),
  );
  assert.deepEqual(wrong, []);
});

test("a command or option that is not there is named, wherever it is printed", () => {
  const up = new Command("up").option("-n, --nodes <count>").argument("[name]");
  const program = new Command("ashlar").addCommand(new Command("lab").addCommand(up));
  const text = `
    ./ashlar lab up --nodes 2 a       starts machines
    $ ./ashlar lab up --node=2 a
With \`ashlar lab down\`, \`ashlar lab up -n 2 -- --anything\` and \`ashlar lab up --help\`.
`;
  assert.deepEqual(findWrongCommands(program, text), [
    "ashlar lab up --node=2 a: up has no --node",
    "ashlar lab down: there is no command down",
  ]);
});
