import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { writeFileAtomically } from "./atomic-file.ts";
import { startDaemon } from "./daemon.ts";
import { isPortFree } from "./ports.ts";
import { endProcesses, findProcesses } from "./processes.ts";
import { readTail } from "./read-tail.ts";
import { withTemporaryDirectory } from "./temporary-directory.ts";

test("a daemon is ready when it says so, and is in a session of its own", async () => {
  await withTemporaryDirectory(async (directory) => {
    const mark = join(directory, "ready");
    await startDaemon("sh", ["-c", `touch ${mark}; sleep 60`, mark], {
      logPath: join(directory, "log"),
      isReady: async () => existsSync(mark),
      timeoutMs: 5000,
    });
    const found = await findProcesses((argv) => argv.at(-1) === mark);
    // What it starts is its copy for a moment.
    const sessions = await Promise.all(
      found.map(async ({ pid }) => Number((await readFile(`/proc/${pid}/stat`, "utf8")).split(" ")[5])),
    );
    assert.equal(new Set(sessions).size, 1);
    assert.ok(found.some(({ pid }) => pid === sessions[0]));
    await endProcesses(await findProcesses((argv) => argv.at(-1) === mark || argv[1] === "60"), 1000);
  });
});

test("a daemon that ends, hangs or is missing says why", async () => {
  await withTemporaryDirectory(async (directory) => {
    const options = { logPath: join(directory, "log"), isReady: async () => false, timeoutMs: 300 };
    const refusals: readonly [string, readonly string[], RegExp][] = [
      ["sh", ["-c", "echo no such device >&2; exit 4"], /ended with status 4: no such device/u],
      ["sleep", ["60"], /was not ready within 0.3 s/u],
      ["no-such-program-here", [], /not installed/u],
    ];
    for (const [program, args, message] of refusals) {
      await assert.rejects(startDaemon(program, args, options), (error) => {
        assert.ok(error instanceof AshlarError);
        assert.match(error.message, message);
        return true;
      });
    }
  });
});

test("who is interrupted does not wait until a daemon is ready, and leaves none", async () => {
  await withTemporaryDirectory(async (directory) => {
    const interruption = new AbortController();
    const isReady = async (): Promise<boolean> => {
      interruption.abort();
      return false;
    };
    const options = { logPath: join(directory, "log"), isReady, timeoutMs: 600_000, signal: interruption.signal };
    await assert.rejects(startDaemon("sleep", ["86398"], options), { code: "interrupted" });
    for (let left = 1; left > 0;) left = (await findProcesses((argv) => argv[1] === "86398")).length;
  });
});

test("a port in use is not free", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  assert.equal(await isPortFree(address.port), false);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  assert.equal(await isPortFree(address.port), true);
});

test("a file is replaced whole, and its end can be read", async () => {
  await withTemporaryDirectory(async (directory) => {
    const path = join(directory, "file");
    await writeFileAtomically(path, "old");
    await writeFileAtomically(path, "something new", 0o600);
    assert.equal((await readTail(path, 3)).toString(), "new");
    assert.equal((await readTail(path, 300)).toString(), "something new");
    assert.equal((await readTail(join(directory, "none"), 3)).length, 0);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });
});
