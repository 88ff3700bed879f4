import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgram } from "../program.ts";
import { commandWords, type CommandWords } from "./command-words.ts";
import { cobraLines, nextWords } from "./next-words.ts";

const COMMANDS: readonly CommandWords[] = commandWords(await createProgram(undefined, "kubectl ashlar"));

async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const lines = await cobraLines(nextWords(COMMANDS, words), async (kind, { context = "none" }) => [
    kind === "rollout" ? "to-1-1-0" : "worker-1",
    `of-${context}`,
  ]);
  return lines.map((line) => line.split("\t", 1)[0] ?? "");
}

test("kubectl ashlar goes on with its own commands, options, names of the cluster and files", async () => {
  assert.deepEqual(await offered(""), ["certificate", "explain", "proof", "rollout", "which", "help", ":4"]);
  assert.deepEqual(await offered("pr"), ["proof", ":4"]);
  assert.deepEqual(await offered("proof", ""), ["worker-1", "of-none", ":4"]);
  assert.deepEqual(await offered("proof", "--context", "prod", "of"), ["of-prod", ":4"]);
  assert.deepEqual(await offered("proof", "-o", ""), ["wide", "json", "yaml", "name", ":4"]);
  assert.deepEqual(await offered("rollout", "re"), ["resume", ":4"]);
  assert.deepEqual(await offered("rollout", "approve", "to"), ["to-1-1-0", ":4"]);
  assert.deepEqual(await offered("proof", "--wa"), ["--watch", ":4"]);
  assert.deepEqual(await offered("proof", "--kubeconfig", ""), [":0"]);
  assert.deepEqual(await offered("explain", "--node-configs", ""), [":16"]);
  assert.deepEqual(await offered("certificate", "sh"), ["show", ":4"]);
  assert.deepEqual(await offered("nothing", ""), ["certificate", "explain", "proof", "rollout", "which", "help", ":4"]);
});

test("an API server that cannot be asked offers nothing", async () => {
  const lines = await cobraLines(nextWords(COMMANDS, ["proof", ""]), async () => {
    throw new Error("away");
  });
  assert.deepEqual(lines, [":4"]);
});
