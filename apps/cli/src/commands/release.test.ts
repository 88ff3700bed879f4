import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const directory = mkdtempSync(join(tmpdir(), "ashlar-cli-release-"));
after(() => rmSync(directory, { recursive: true }));
const [repo, keys] = [join(directory, "repo"), join(directory, "keys")];
const main = join(import.meta.dirname, "../main.ts");

function release(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [main, "release", ...args], { encoding: "utf8" });
}

test("init, list, verify and refresh: exit 0, JSON on stdout", () => {
  const passphrase = join(directory, "passphrase");
  writeFileSync(passphrase, "correct horse\nanother line\n");
  const signing = ["--repo", repo, "--keys", keys, "--passphrase-file", passphrase];
  const made = release("init", ...signing, "--json");
  assert.equal(made.status, 0, made.stderr);
  assert.deepEqual(JSON.parse(made.stdout), { repository: repo, keys, isNew: true });
  assert.match(readFileSync(join(keys, "online.pem"), "latin1"), /ENCRYPTED/u);
  const listed = release("list", "--repo", repo, "--keys", keys, "--json");
  assert.deepEqual(JSON.parse(listed.stdout), { serial: 1, channels: {}, releases: [] });
  const refreshed = release("refresh", ...signing, "--json");
  assert.deepEqual(JSON.parse(refreshed.stdout), { renewed: ["timestamp", "snapshot"], due: [] });
  const withoutTerminal = release("refresh", "--repo", repo, "--keys", keys);
  assert.equal(withoutTerminal.status, 2);
  assert.match(withoutTerminal.stderr, /--passphrase-file/u);
});

test("what cannot be done has its status and a hint", () => {
  const root = join(keys, "release-root.json");
  assert.equal(release("list", "--repo", repo).status, 2);
  assert.equal(release("list", "--root", root).status, 2);
  assert.equal(release("gc", "--keep", "0", "--repo", repo, "--keys", keys).status, 2);
  assert.equal(release("serve", "--repo", repo, "--port", "65536").status, 2);
  const timestamp = join(repo, "metadata/timestamp.json");
  writeFileSync(timestamp, readFileSync(timestamp, "utf8").replace('"version": 2', '"version": 3'));
  const changed = release("verify", "--repo", repo, "--root", root, "--json");
  assert.deepEqual([changed.status, changed.stdout], [1, ""]);
  assert.match(changed.stderr, /^error: .*timestamp/u);
});

test("serve says where, and Ctrl-C ends it", async () => {
  const child = spawn(process.execPath, [main, "release", "serve", "--repo", repo, "--port", "0", "--json"]);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { url }: { url: string } = JSON.parse(line.toString("utf8"));
  assert.equal((await fetch(`${url}metadata/1.root.json`)).status, 200);
  assert.equal((await fetch(`${url}metadata/2.root.json`)).status, 404);
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [0, null]);
});
