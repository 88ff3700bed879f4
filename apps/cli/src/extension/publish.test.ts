import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const directory = mkdtempSync(join(tmpdir(), "ashlar-cli-extension-"));
after(() => rmSync(directory, { recursive: true }));
const [repo, keys] = [join(directory, "repo"), join(directory, "keys")];
const main = join(import.meta.dirname, "../main.ts");

function ashlar(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, ...args, "--repo", repo, "--keys", keys], { encoding: "utf8" });
}

test("a repository without extensions, and what cannot be done with it", () => {
  assert.equal(ashlar("release", "init").status, 0);
  const listed = ashlar("extension", "list", "--json");
  assert.deepEqual(JSON.parse(listed.stdout), { serial: 1, extensions: [] });
  const collected = ashlar("extension", "gc", "--keep", "1", "--json");
  assert.deepEqual(JSON.parse(collected.stdout), { removed: [], freedBytes: 0 });
  const withdrawn = ashlar("extension", "withdraw", "kubernetes", "v1.33.5", "--reason", "x");
  assert.deepEqual([withdrawn.status, withdrawn.stdout], [66, ""]);
  assert.match(withdrawn.stderr, /^error: the repository has no extension kubernetes/u);
  const image = join(directory, "kubernetes-v1.33.5-x86-64.raw");
  writeFileSync(image, "");
  const published = ashlar("extension", "publish", image);
  assert.equal(published.status, 66);
  assert.match(published.stderr, /cannot read .*kubernetes-v1\.33\.5-x86-64\.manifest\.json/u);
  assert.equal(ashlar("extension", "publish", "image").status, 64);
  assert.equal(ashlar("extension", "publish", image, "--tier", "own").status, 64);
});
