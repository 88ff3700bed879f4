import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { endProcesses, findProcesses, startDaemon, withTemporaryDirectory } from "@ashlar/host";
import { cutLogs } from "./keep-logs-short.ts";

const MAX_BYTES = 4096;

test("a program that writes for ever keeps a short log, and goes on in it", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "writer.log");
    const script = "i=0; while :; do i=$((i + 1)); echo line $i; done";
    await startDaemon("sh", ["-c", script, directory], {
      logPath: path,
      isReady: async () => (await stat(path)).size > MAX_BYTES,
      timeoutMs: 60_000,
    });
    const found = await findProcesses((argv) => argv[0] === "sh" && argv.at(-1) === directory);
    try {
      await cutLogs(directory, MAX_BYTES);
      while ((await stat(path)).size === 0) await sleep(10);
    } finally {
      await endProcesses(found, 1000);
    }
    const numbers = (text: string): number[] =>
      Array.from(text.matchAll(/^line (\d+)$/gmu), ([, each]) => Number(each));
    const [now, before] = await Promise.all([readFile(path, "utf8"), readFile(`${path}.1`, "utf8")]);
    assert.equal(before.slice(0, 14), "line 1\nline 2\n");
    // A hole would be there in place of what was cut away.
    assert.ok(!now.includes("\0"));
    assert.ok((numbers(now).at(0) ?? 0) > (numbers(before).at(-2) ?? Infinity), now.slice(0, 40));
  });
});

test("what is short, and what is no log, stays", async () => {
  await withTemporaryDirectory(async (directory) => {
    await writeFile(join(directory, "a.log"), "a".repeat(MAX_BYTES));
    await writeFile(join(directory, "other"), "b".repeat(2 * MAX_BYTES));
    await cutLogs(directory, MAX_BYTES);
    await cutLogs(directory, MAX_BYTES);
    assert.equal((await stat(join(directory, "a.log"))).size, MAX_BYTES);
    assert.equal((await stat(join(directory, "other"))).size, 2 * MAX_BYTES);
  });
});
