import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { createProgram } from "@ashlar/cli";
import { Command } from "commander";
import { manPages } from "./man-pages.ts";

function shown(page: string): string {
  const { stdout, stderr, status } = spawnSync("groff", ["-man", "-ww", "-Tutf8", "-P-cbou"], {
    input: page,
    encoding: "utf8",
  });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout;
}

test("each command has a page that groff sets without a warning", { skip: needs("groff") }, async () => {
  const pages = manPages(await createProgram(), "1.2.3");
  assert.ok(pages.size > 50);
  // One process for all: it starts slowly.
  const all = shown([...pages.values()].join(""));
  assert.match(all, /ashlar-verity-format +- +Write/u);
  assert.match(shown(pages.get("ashlar.1") ?? ""), /\n +ashlar prove\n? +Prove +from +TPM +quotes/u);
});

test("the pages of the plugin say how it is called", { skip: needs("groff") }, async () => {
  const pages = manPages(await createProgram(undefined, "kubectl ashlar"), "1.2.3");
  assert.deepEqual([...pages.keys()].slice(0, 1), ["kubectl-ashlar.1"]);
  assert.match(shown(pages.get("kubectl-ashlar-proof.1") ?? ""), /\n +kubectl ashlar proof -o wide --watch\n/u);
});

test("what is in help is text, whatever it looks like", { skip: needs("groff") }, () => {
  const odd = new Command("odd")
    .description(".SH Not a heading")
    .argument("<thing>", "what it is about")
    .option("--back <a\\b>", "'quoted \\fBnot bold\\fR --with-hyphens", "\\n")
    .addHelpText("after", "\n.TP is no macro\n'nor is this\n\nExamples:\n  odd --back 'x\\y'\n");
  const page = manPages(new Command("ashlar").addCommand(odd), "1").get("ashlar-odd.1") ?? "";
  const text = shown(page);
  for (const part of [
    ".SH Not a heading",
    "ARGUMENTS\n       thing  what it is about",
    "--back <a\\b>",
    "'quoted \\fBnot bold\\fR --with-hyphens (default: \\n)",
    ".TP is no macro",
    "'nor is this",
    "  odd --back 'x\\y'",
  ])
    assert.ok(text.includes(part), `${part} in\n${text}`);
});
