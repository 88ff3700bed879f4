import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gitCommitOf } from "./git-commit.ts";

const directory = await mkdtemp(join(tmpdir(), "ashlar-git-"));
after(async () => await rm(directory, { recursive: true }));

test("a checkout without changes has its commit; any other directory has none", async () => {
  assert.equal(await gitCommitOf(directory), undefined);
  const git = (...args: string[]): string => execFileSync("git", args, { cwd: directory, encoding: "utf8" });
  git("init", "--quiet");
  assert.equal(await gitCommitOf(directory), undefined, "no commit yet");
  await writeFile(join(directory, "a"), "1");
  git("add", "a");
  git("-c", "user.name=n", "-c", "user.email=n@example.org", "commit", "--quiet", "-m", "m");
  const commit = git("rev-parse", "HEAD").trim();
  assert.equal(await gitCommitOf(directory), commit);
  await writeFile(join(directory, "b"), "2");
  assert.equal(await gitCommitOf(directory), undefined, "a new file");
  await rm(join(directory, "b"));
  await writeFile(join(directory, "a"), "3");
  assert.equal(await gitCommitOf(directory), undefined, "a changed file");
});
