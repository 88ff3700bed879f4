import assert from "node:assert/strict";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { withTemporaryDirectory } from "@ashlar/host";
import { ConsoleFollower, consoleTail } from "./console-log.ts";

test("a growing log is followed, also through lines that come in pieces", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "console.log");
    const log = new ConsoleFollower(path);
    assert.equal((await log.read()).boots, 0, "a log that is not there yet");
    await writeFile(path, "BdsDxe: loading Bo");
    assert.equal((await log.read()).boots, 0);
    assert.equal((await log.read()).boots, 0, "the same piece again");
    await appendFile(path, "ot0001\r\nLinux vers");
    assert.deepEqual(await log.read(), { phase: "firmware", boots: 1, deadEnd: undefined });
    await appendFile(path, "ion 6.12\r\nnode-1 login: ");
    assert.equal((await log.read()).phase, "system", "a prompt has no end of line");
  });
});

test("a long log is read to its end, with lines of any length", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "console.log");
    await writeFile(path, `${"x".repeat(3 * 1024 * 1024)}\nLinux version 6.12\n`);
    assert.equal((await new ConsoleFollower(path).readAll()).phase, "initrd");
  });
});

test("the end of a console is plain text without blank lines", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "console.log");
    await writeFile(path, "one\r\n\r\n\u001B[0mtwo\u001B[0m  \r\nthree\r\n");
    assert.deepEqual(await consoleTail(path, 2), ["two", "three"]);
    assert.deepEqual(await consoleTail(join(directory, "none"), 2), []);
  });
});

test("what only says that something still runs is no news", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "console.log");
    await writeFile(
      path,
      "a line\n\u001b[K[ \u001b[0;31m*\u001b[0m] (1 of 2) Job a.service/start running (16s / 1min)\n",
    );
    const follower = new ConsoleFollower(path);
    await follower.read();
    assert.equal(follower.news, 1);
    await appendFile(path, "\u001b[K[  OK  ] Started a.service\n");
    await follower.read();
    assert.equal(follower.news, 2);
  });
});
