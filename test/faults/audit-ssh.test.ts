import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { needs } from "@ashlar/base/test-needs";
import { ROOT } from "../e2e/world.ts";
import { freePort, portOf, SshNodes } from "./ssh-nodes.ts";

const directory = mkdtempSync(join(tmpdir(), "audit-ssh-"));
const ends: (() => void)[] = [() => rmSync(directory, { recursive: true, force: true })];
after(() => {
  for (const end of ends.toReversed()) end();
});

type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

async function audit(...args: readonly string[]): Promise<Ended> {
  const child = spawn(join(ROOT, "ashlar"), ["audit", ...args], {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => void (texts[name] += text));
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, ...texts };
}

test(
  "nodes behind ssh: alike, different, down, hanging, with another host key, without sudo",
  { skip: needs("/usr/sbin/sshd", "/usr/bin/sudo", "ssh", "unshare") },
  async (context) => {
    if (process.getuid?.() !== 0) {
      context.diagnostic("not root: no sshd was started");
      return;
    }
    const nodes = new SshNodes(directory);
    ends.push(() => nodes.end());
    const [one, two] = [await nodes.start("tree-1"), await nodes.start("tree-2")];
    writeFileSync(join(two.tree, "usr/bin/tcpdump"), "left behind");
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    ends.push(() => silent.close());
    nodes.name("node-1", one.port);
    nodes.name("node-2", two.port);
    nodes.name("by-sudo", one.port, { user: "allowed" });
    nodes.name("without-sudo", one.port, { user: "refused" });
    nodes.name("down", await freePort());
    nodes.name("hanging", portOf(silent));
    nodes.name("other-key", one.port, { knownHosts: "other_hosts" });
    writeFileSync(join(directory, "hosts"), "node-2 # with tools\n\nby-sudo\nwithout-sudo\ndown\nhanging\nother-key\n");
    const args = ["--ssh", "node-1", "--file", "hosts", "--ssh-config", nodes.config, "--out", "out", "--json"];

    const first = await audit(...args, "--fail-on", "packages");
    assert.equal(first.status, 2, first.stderr + nodes.log);
    const report = JSON.parse(first.stdout);
    const problems = Object.fromEntries(
      report.failed.map((each: { name: string; problem: string }) => [each.name, each.problem]),
    );
    assert.match(problems["down"], /Connection refused/u);
    assert.match(problems["hanging"], /timed out/u);
    assert.match(problems["other-key"], /Host key verification failed/u);
    assert.equal(report.failed.length, 3);
    const isByRoot = Object.fromEntries(
      report.nodes.map((each: { name: string; isByRoot: boolean }) => [each.name, each.isByRoot]),
    );
    assert.deepEqual(isByRoot, { "node-1": true, "node-2": true, "by-sudo": true, "without-sudo": false });
    const odd = report.groups.find((group: { nodes: string[] }) => group.nodes.includes("node-2"));
    assert.deepEqual(
      odd.causes.unowned.map(({ path }: { path: string }) => path),
      ["/usr/bin/tcpdump"],
    );
    assert.match(first.stderr, /collected node-1 \(\d of 7.*about \d+:\d\d left/u);
    assert.match(first.stderr, /not collected: down \(/u);

    // What is there is not asked again; what was down is.
    nodes.name("down-again", one.port);
    const names = ["by-sudo", "node-1", "node-2", "without-sudo"];
    assert.deepEqual(
      readdirSync(join(directory, "out")),
      names.flatMap((name) => [`${name}.pieces`, `${name}.snapshot`]),
    );
    const before = statSync(join(directory, "out/node-1.snapshot")).mtimeMs;
    const second = await audit("--ssh", "node-1", "down-again", "--ssh-config", nodes.config, "--out", "out");
    assert.equal(second.status, 0, second.stderr + nodes.log);
    assert.match(second.stderr, /1 node collected before.*--again/u);
    assert.match(second.stderr, /collected down-again \(1 of 1\)/u);
    assert.equal(statSync(join(directory, "out/node-1.snapshot")).mtimeMs, before);
    const third = await audit("--ssh", "node-1", "--ssh-config", nodes.config, "--out", "out", "--again");
    assert.equal(third.status, 0, third.stderr + nodes.log);
    assert.notEqual(statSync(join(directory, "out/node-1.snapshot")).mtimeMs, before);
  },
);
