import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pinOfOperatorPem } from "@ashlar/protocol";

const directory = mkdtempSync(join(tmpdir(), "ashlar-update-"));
after(() => rmSync(directory, { recursive: true }));

function ashlar(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(import.meta.dirname, "../main.ts"), ...args], { encoding: "utf8" });
}

test("an operator's key is made once, for its owner alone, and its pin is printed", () => {
  const path = join(directory, "operator.pem");
  const { status, stdout } = ashlar("operator-key", "--out", path);
  assert.equal(status, 0);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const pem = readFileSync(path, "utf8");
  assert.equal(stdout, `${pinOfOperatorPem(pem)}\n`);
  assert.equal(ashlar("operator-key", "--out", path).status, 69);
  assert.equal(readFileSync(path, "utf8"), pem);
});

test("wrong usage ends with 64 and says what was expected", () => {
  const node = ["--nodes", "https://127.0.0.1:1"];
  const wrong: readonly (readonly [RegExp, ...string[]])[] = [
    [/one of --lab, --nodes, --fleet and --kubernetes/u, "update", "--to", "1.1.0"],
    [/--to or --channel/u, "update", ...node],
    [/--operator-key/u, "update", ...node, "--to", "1.1.0"],
    [/--releases/u, "update", ...node, "--to", "1.1.0", "--operator-key", join(directory, "operator.pem")],
    [/either a node with --lab, or --url/u, "rollback", "node-1"],
    [/neither --channel nor --no-reboot/u, "update", ...node, "--component", "kubernetes", "--no-reboot"],
    [/either a node with --lab, or --url/u, "debug", "node-1", "--with", "debug-tools", "--for", "1h"],
    [/exactly one of --for and --end/u, "debug", "node-1", "--lab", "lab", "--with", "debug-tools"],
    [/at most 24 hours/u, "debug", "node-1", "--lab", "lab", "--with", "debug-tools", "--for", "25h"],
  ];
  for (const [message, ...args] of wrong) {
    const { status, stdout, stderr } = ashlar(...args);
    assert.equal(status, 64, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, message);
  }
});
