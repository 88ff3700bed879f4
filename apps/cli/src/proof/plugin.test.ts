/** The launcher under the names by which kubectl finds it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { EXIT_STATUS } from "@ashlar/base";

const ROOT = join(import.meta.dirname, "../../../..");
const directory = mkdtempSync(join(tmpdir(), "ashlar-kubectl-"));
after(() => rmSync(directory, { recursive: true }));
for (const name of ["kubectl-ashlar", "kubectl_complete-ashlar"])
  symlinkSync(join(ROOT, "ashlar"), join(directory, name));

function start(name: string, ...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(join(directory, name), args, { encoding: "utf8" });
}

test("called as kubectl-ashlar it is kubectl ashlar, with its own commands", () => {
  const { status, stdout } = start("kubectl-ashlar", "--help");
  assert.equal(status, 0);
  assert.match(stdout, /^Usage: kubectl ashlar /u);
  assert.match(stdout, /\n {2}proof /u);
  assert.doesNotMatch(stdout, /\n {2}(?:completion|lab|image) /u);
  const help = start("kubectl-ashlar", "proof", "--help");
  assert.match(help.stdout, /^Usage: kubectl ashlar proof /u);
  assert.match(help.stdout, /\n {2}kubectl ashlar proof -o wide --watch\n/u);
  const unknown = start("kubectl-ashlar", "lab");
  assert.equal(unknown.status, EXIT_STATUS.usage);
  assert.match(unknown.stderr, /kubectl ashlar has no command lab\nhint: it is one of ashlar: ashlar lab --help/u);
});

test("kubectl_complete-ashlar says how a line may go on, the empty word too", () => {
  assert.deepEqual(start("kubectl_complete-ashlar", "proof", "-o", "").stdout.trim().split("\n"), [
    "wide",
    "json",
    "yaml",
    "name",
    ":4",
  ]);
  assert.match(start("kubectl_complete-ashlar", "certificate", "v").stdout, /^verify\t[^\n]+\n:4\n$/u);
});

test("bad weather: no kubeconfig, an API server that is away, a name that is none", () => {
  const none = start("kubectl-ashlar", "proof", "--kubeconfig", join(directory, "none"));
  assert.equal(none.status, EXIT_STATUS["not-found"]);
  assert.match(none.stderr, /expected a kubeconfig at .*\nhint: name it with --kubeconfig or KUBECONFIG/u);
  const path = join(directory, "away.kubeconfig");
  const named = { name: "a" };
  const away = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "a",
    contexts: [{ ...named, context: { cluster: "a", user: "a" } }],
    clusters: [{ ...named, cluster: { server: "https://127.0.0.1:1" } }],
    users: [{ ...named, user: { token: "x" } }],
  };
  writeFileSync(path, JSON.stringify(away));
  const { status, stderr } = start("kubectl-ashlar", "proof", "--kubeconfig", path);
  assert.equal(status, EXIT_STATUS.unavailable, stderr);
  assert.match(
    stderr,
    /no answer from the API server 127\.0\.0\.1:1: .*\nhint: does it run, and is it reached from here\?/u,
  );
  const wrong = start("kubectl-ashlar", "proof", "a,metadata.name!=b");
  assert.equal(wrong.status, EXIT_STATUS.usage);
  assert.match(wrong.stderr, /expected the name of a Node, found a,metadata\.name!=b/u);
});
