import assert from "node:assert/strict";
import { test } from "node:test";
import { Argument, Command, Option } from "commander";
import { commandPages } from "./command-pages.ts";

test("each command that does something has a page, with what its help says", () => {
  const child = new Command("up")
    .description("Start machines")
    .addArgument(new Argument("<name>", "one|two"))
    .addOption(new Option("--nodes <count>", "how many").default(2))
    .addHelpText("after", "\nExamples:\n  tool lab up a");
  const pages = commandPages(
    new Command("tool").description("A tool").addCommand(new Command("lab").addCommand(child)),
  );
  assert.deepEqual([...pages.keys()], ["README.md", "tool-lab-up.md"]);
  assert.match(pages.get("README.md") ?? "", /\| \[tool lab up\]\(tool-lab-up\.md\) \| Start machines \|/u);
  const page = pages.get("tool-lab-up.md") ?? "";
  assert.match(page, /^# tool lab up\n\nStart machines\.\n\n {4}tool lab up \[options\] <name>\n/u);
  assert.match(page, /\| `name` \| one\\\|two \|/u);
  assert.match(page, /\| `--nodes <count>` \| how many \| `2` \|/u);
  assert.match(page, /```text\nExamples:\n {2}tool lab up a\n```/u);
});
