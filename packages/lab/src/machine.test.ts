import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withTemporaryDirectory } from "@ashlar/host";
import { labPaths, nodePaths, type LabPaths } from "./lab-paths.ts";
import { findMachine, waitUntilOff } from "./machine.ts";
import { QEMU } from "./tools.ts";

const NODE = "node-1";
const SILENCE_MS = 4000;

/** A process in the place of a machine, which is shutting down: `script` has the console and the directory as $1 and $2. */
async function shuttingDown(
  script: string,
  work: (paths: LabPaths, directory: string) => Promise<void>,
): Promise<void> {
  await withTemporaryDirectory(async (directory) => {
    const before = process.env["XDG_STATE_HOME"];
    process.env["XDG_STATE_HOME"] = directory;
    try {
      const paths = labPaths("one");
      const node = nodePaths(paths, NODE);
      await mkdir(node.directory, { recursive: true });
      spawn("sh", ["-c", script, QEMU, node.console, directory], { argv0: QEMU, stdio: "ignore" });
      while ((await findMachine(paths, NODE)) === undefined) await sleep(20);
      await work(paths, directory);
      assert.equal(await findMachine(paths, NODE), undefined);
    } finally {
      if (before === undefined) delete process.env["XDG_STATE_HOME"];
      else process.env["XDG_STATE_HOME"] = before;
    }
  });
}

test("a machine that shuts down slowly is waited for as long as it gets further", async () => {
  const script = `for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "Stopped unit $i" >>"$1"; sleep 0.5; done; : >"$2/ended"`;
  await shuttingDown(script, async (paths, directory) => {
    await waitUntilOff(paths, NODE, SILENCE_MS);
    assert.ok(existsSync(join(directory, "ended")), "its power was cut");
  });
});

test("a machine of whose end nothing is seen has its power cut", async () => {
  await shuttingDown(`while :; do sleep 1; done; : "$1"`, async (paths) => await waitUntilOff(paths, NODE, SILENCE_MS));
});

test("a machine that starts again in place of going off has its power cut, whatever more it says", async () => {
  const boot = `BdsDxe: loading Boot0001 "UEFI Misc Device"`;
  const script = `sleep 0.5; echo '${boot}' >>"$1"; while :; do echo another unit >>"$1"; sleep 0.5; done`;
  await shuttingDown(script, async (paths) => {
    const startedMs = performance.now();
    await waitUntilOff(paths, NODE, SILENCE_MS);
    assert.ok(performance.now() - startedMs < 5 * SILENCE_MS);
  });
});
