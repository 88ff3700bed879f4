import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { hashDirectory, hashFiles } from "./hash-directory.ts";

const directory = await mkdtemp(join(tmpdir(), "ashlar-hash-"));
after(async () => await rm(directory, { recursive: true }));

test("a directory's digest is that of sha256sum over the lines of sha256sum, as Go's Hash1 is defined", async () => {
  const tree = join(directory, "tree");
  await mkdir(join(tree, "b"), { recursive: true });
  for (const name of ["b/x", "b.txt", "a", "É"]) await writeFile(join(tree, name), `content of ${name}`);
  const script = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum";
  const expected = execFileSync("sh", ["-c", script], { cwd: tree, encoding: "utf8" }).slice(0, 64);
  assert.equal(await hashDirectory(tree), expected);
  const files = ["É", "a", "b/x", "b.txt"].map((name) => ({ name, path: join(tree, name) }));
  assert.equal(await hashFiles(files), expected);
});

test("links count by their target, names count, and an empty directory has the digest of nothing", async () => {
  const tree = join(directory, "links");
  await mkdir(tree);
  assert.equal(await hashDirectory(tree), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  await symlink("nowhere", join(tree, "a"));
  const link = await hashDirectory(tree);
  await rm(join(tree, "a"));
  await writeFile(join(tree, "a"), "nowhere");
  assert.equal(await hashDirectory(tree), link);
  await writeFile(join(tree, "a"), "elsewhere");
  assert.notEqual(await hashDirectory(tree), link);
  await writeFile(join(tree, "b\nc"), "");
  await assert.rejects(hashDirectory(tree), { code: "invalid" });
});
