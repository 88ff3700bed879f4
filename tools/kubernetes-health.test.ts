/** The Kubernetes recipe's health check, on a machine that is no node: programs beside it say what a node's would. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const CHECK = join(import.meta.dirname, "../recipes/kubernetes/files/usr/lib/ashlar/health.d/kubernetes");

/** Without a network of its own there could be a kubelet that answers. */
function check(state: string, seconds: number): { status: number | null; output: string; asked: string[] } {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-kubernetes-health-"));
  try {
    for (const name of ["bin", "ashlar/health.d", "extension-release.d"]) {
      mkdirSync(join(directory, name), { recursive: true });
    }
    const path = join(directory, "ashlar/health.d/kubernetes");
    copyFileSync(CHECK, path);
    writeFileSync(join(directory, "extension-release.d/extension-release.kubernetes"), "IMAGE_VERSION=v1.2.3\n");
    const asked = join(directory, "asked");
    writeFileSync(asked, "");
    const programs = { kubelet: "echo Kubernetes v1.2.3", systemctl: `echo "$*" >>${asked}; echo ${state}; exit 3` };
    for (const [name, script] of Object.entries(programs)) {
      writeFileSync(join(directory, "bin", name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(directory, "bin", name), 0o755);
    }
    const args = ["--map-root-user", "--net", "timeout", `${seconds}`, "bash", path];
    const env = { ...process.env, PATH: `${join(directory, "bin")}:${process.env["PATH"]}` };
    const { status, stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8", env });
    return { status, output: stdout + stderr, asked: readFileSync(asked, "utf8").trimEnd().split("\n") };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("while a kubelet starts, systemd is asked seldom, and for nothing that it has to collect", () => {
  const { status, output, asked } = check("activating", 12);
  assert.equal(status, 124, output);
  assert.match(output, /^kubelet\.service is activating; http:\/\/127\.0\.0\.1:10248\/healthz: /u);
  assert.deepEqual([...new Set(asked)], ["is-active kubelet.service"]);
  assert.ok(asked.length <= 5, `asked ${asked.length} times in 12 seconds`);
});

test("a kubelet that systemd does not run is no fault, one that has failed is", () => {
  assert.deepEqual(check("inactive", 600), { status: 0, output: "", asked: ["is-active kubelet.service"] });
  const { status, output } = check("failed", 600);
  assert.deepEqual([status, output], [1, "kubelet.service is failed\n"]);
});
