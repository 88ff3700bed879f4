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
  assert.equal(withoutTerminal.status, 64);
  assert.match(withoutTerminal.stderr, /--passphrase-file/u);
});

test("a root key becomes two of three: prepared, signed apart, published", () => {
  const passphrase = ["--passphrase-file", join(directory, "passphrase")];
  const signing = ["--repo", repo, "--keys", keys, ...passphrase];
  const shares = ["ada", "ben", "cleo"].map((name) => join(directory, name));
  const made = shares.map((share) =>
    JSON.parse(release("make-key", "root", "--keys", share, ...passphrase, "--json").stdout),
  );
  const publicFiles = made.map(({ publicFile }: { publicFile: string }) => publicFile);
  assert.match(readFileSync(join(directory, "ada/root.pem"), "latin1"), /ENCRYPTED/u);
  const prepared = release("rotate-keys", "--root-key", ...publicFiles, "--root-threshold", "2", ...signing);
  assert.equal(prepared.status, 1, prepared.stderr);
  assert.match(
    prepared.stdout,
    /^missing: 2 of the keys to come \(root role 2\): [0-9a-f]{16} [0-9a-f]{16} [0-9a-f]{16}$/mu,
  );
  const nextRoot = join(keys, "next-root.json");
  assert.match(release("sign-keys", nextRoot).stdout, /^ {2}\+ root [0-9a-f]{16}$/mu);
  for (const share of shares.slice(0, 2)) {
    const signed = release("sign-keys", nextRoot, "--keys", share, ...passphrase);
    assert.equal(signed.status, 0, signed.stderr);
    assert.match(signed.stdout, /^signed by [0-9a-f]{16}$/mu);
  }
  const published = release("rotate-keys", nextRoot, ...signing, "--json");
  assert.equal(published.status, 0, published.stderr);
  assert.equal(JSON.parse(published.stdout).published, true);
  const shown = JSON.parse(release("keys", "--repo", repo, "--keys", keys, "--json").stdout);
  assert.deepEqual([shown.version, shown.root.threshold], [2, 2]);
  assert.deepEqual(
    shown.root.keyIds,
    made.map(({ keyId }: { keyId: string }) => keyId),
  );
  assert.equal(release("rotate-keys", ...signing).status, 64);
  assert.equal(release("rotate-keys", nextRoot, "--renew", ...signing).status, 64);
});

test("what cannot be done has its status and a hint", () => {
  const root = join(keys, "release-root.json");
  assert.equal(release("list", "--repo", repo).status, 64);
  assert.equal(release("list", "--root", root).status, 64);
  assert.equal(release("gc", "--keep", "0", "--repo", repo, "--keys", keys).status, 64);
  assert.equal(release("serve", "--repo", repo, "--port", "65536").status, 64);
  const timestamp = join(repo, "metadata/timestamp.json");
  writeFileSync(timestamp, readFileSync(timestamp, "utf8").replace('"version": 2', '"version": 3'));
  const changed = release("verify", "--repo", repo, "--root", root, "--json");
  assert.deepEqual([changed.status, changed.stdout], [65, ""]);
  assert.match(changed.stderr, /^error: .*timestamp/u);
});

test("serve says where, and Ctrl-C ends it", async () => {
  const child = spawn(process.execPath, [main, "release", "serve", "--repo", repo, "--port", "0", "--json"]);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { url }: { url: string } = JSON.parse(line.toString("utf8"));
  assert.equal((await fetch(`${url}metadata/1.root.json`)).status, 200);
  assert.equal((await fetch(`${url}metadata/3.root.json`)).status, 404);
  child.kill("SIGINT");
  assert.deepEqual(await once(child, "exit"), [0, null]);
});
