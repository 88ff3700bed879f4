import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AshlarError } from "@ashlar/base";
import { type LockOptions, withLock } from "./lock.ts";
import { run } from "./run.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-lock-"));
after(() => rmSync(directory, { recursive: true }));

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
const OURS: LockOptions = { what: "the thing", holder: "a test" };

let count = 0;
const newPath = (): string => join(directory, `${count++}.lock`);
const nothing = async (): Promise<void> => undefined;
const isError = (code: string, message: RegExp) => (error: AshlarError) =>
  error.code === code && message.test(error.message);

/** Takes a lock in another process, and gives it once it has it. */
async function holdElsewhere(path: string, holder = "a child"): Promise<ReturnType<typeof spawn>> {
  const script = `import { withLock } from ${JSON.stringify(join(import.meta.dirname, "lock.ts"))};
    await withLock(${JSON.stringify(path)}, { what: "it", holder: ${JSON.stringify(holder)} }, async () => {
      console.log("held");
      await new Promise(() => setInterval(() => {}, 1000));
    });`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

test("a lock that this process has is refused, and free afterwards", async () => {
  const path = newPath();
  await withLock(path, { ...OURS, holder: "the first" }, async () => {
    const message = new RegExp(`^the thing is in use by process ${process.pid} \\(the first\\)$`, "u");
    await assert.rejects(withLock(path, OURS, nothing), isError("conflict", message));
  });
  assert.equal(await withLock(path, OURS, async () => 3), 3);
});

test("a lock is free when its work has failed", async () => {
  const path = newPath();
  await assert.rejects(
    withLock(path, OURS, async () => await Promise.reject(new Error("work"))),
    /work/u,
  );
  await withLock(path, OURS, nothing);
});

test("a lock that is waited for is given in the end", async () => {
  const path = newPath();
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  const first = withLock(path, OURS, async () => {
    take();
    await promise;
    order.push("first");
  });
  await taken;
  const second = withLock(path, { ...OURS, waitMs: 60_000 }, async () => order.push("second"));
  setTimeout(resolve, 50);
  await Promise.all([first, second]);
  assert.deepEqual(order, ["first", "second"]);
});

test("who waits for longer than a second is told what for, once, and can give up", async () => {
  const path = newPath();
  const child = await holdElsewhere(path);
  const giveUp = new AbortController();
  const told: string[] = [];
  const onWait = (message: string): void => {
    told.push(message);
    giveUp.abort();
  };
  const options = { ...OURS, waitMs: 600_000, onWait, signal: giveUp.signal };
  await assert.rejects(withLock(path, options, nothing), isError("interrupted", /interrupted/u));
  assert.deepEqual(told, [`waiting for the thing: it is in use by process ${child.pid} (a child)`]);
  child.kill("SIGKILL");
  await once(child, "exit");
  await withLock(path, { ...options, signal: undefined }, nothing);
  assert.equal(told.length, 1, "nobody is told about a lock that is free");
});

test("the lock of a killed process is free", async () => {
  const path = newPath();
  const child = await holdElsewhere(path);
  const message = new RegExp(`in use by process ${child.pid} \\(a child\\)$`, "u");
  await assert.rejects(withLock(path, OURS, nothing), isError("conflict", message));
  child.kill("SIGKILL");
  await once(child, "exit");
  await withLock(path, OURS, nothing);
});

test("many at once: one after the other, none lost", async () => {
  const path = newPath();
  const counter = join(directory, "counter");
  writeFileSync(counter, "0");
  const add = async (): Promise<void> => {
    const before = Number(readFileSync(counter, "utf8"));
    await sleep(1);
    writeFileSync(counter, String(before + 1));
  };
  await Promise.all(Array.from({ length: 20 }, async () => await withLock(path, { ...OURS, waitMs: 60_000 }, add)));
  assert.equal(readFileSync(counter, "utf8"), "20");
});

test("paths that differ at their end only are different locks, however long they are", async () => {
  const parent = join(directory, ...Array.from({ length: 15 }, () => "a".repeat(200)));
  await withLock(join(parent, "1"), OURS, async () => {
    await withLock(join(parent, "2"), OURS, nothing);
    await assert.rejects(withLock(join(parent, "1"), OURS, nothing), isError("conflict", /in use/u));
  });
});

test("what the file says is believed only of a running process, and never printed as it is", async () => {
  const path = newPath();
  await withLock(path, OURS, async () => {
    const [pid, startTicks] = readFileSync(path, "latin1").split(" ");
    for (const text of [
      "",
      "1 1 a process that has ended\n",
      `${pid} ${startTicks} \u001B[2Kall proven\n`,
      `${pid} ${startTicks} all proven\r\n`,
      `${pid} ${startTicks} ${"a".repeat(300)}\n`,
      `\u001B[8m${pid} ${startTicks} a test\n`,
    ]) {
      writeFileSync(path, text, "latin1");
      const isUnknown = isError("conflict", /^the thing is in use by another process$/u);
      await assert.rejects(withLock(path, OURS, nothing), isUnknown, JSON.stringify(text));
    }
  });
});

test("a file that was replaced while we waited is not the lock", async () => {
  const path = newPath();
  const child = await holdElsewhere(path);
  const waiting = withLock(path, { ...OURS, waitMs: 60_000 }, async () => {
    await assert.rejects(withLock(path, OURS, nothing), isError("conflict", /in use/u));
  });
  await sleep(200);
  renameSync(path, `${path}.old`);
  child.kill("SIGKILL");
  await waiting;
});

test("links, pipes and directories are no locks, and are left alone", async () => {
  const kept = join(directory, "kept");
  writeFileSync(kept, "kept", { mode: 0o600 });
  const [symbolic, hard, pipe, other] = [newPath(), newPath(), newPath(), newPath()];
  symlinkSync(kept, symbolic);
  linkSync(kept, hard);
  await run("mkfifo", [pipe]);
  mkdirSync(other);
  for (const path of [symbolic, hard, pipe, other])
    await assert.rejects(
      withLock(path, OURS, nothing),
      isError("untrusted", /expected a lock file of this user/u),
      path,
    );
  assert.equal(readFileSync(kept, "utf8"), "kept");
});

test("another user can neither open the file nor have made it", { skip: !isRoot && "needs root" }, async () => {
  const open = mkdtempSync(join(directory, "open-"));
  chmodSync(directory, 0o755);
  chmodSync(open, 0o1777);
  const path = join(open, "lock");
  await withLock(path, OURS, nothing);
  chmodSync(path, 0o666);
  await withLock(path, OURS, nothing);
  const take = ["--reuid=65534", "--regid=65534", "--clear-groups", "flock", "--nonblock", path, "true"];
  await assert.rejects(run("setpriv", take), /Permission denied/u);
  const theirs = join(open, "theirs");
  writeFileSync(theirs, "");
  chownSync(theirs, NOBODY, NOBODY);
  await assert.rejects(withLock(theirs, OURS, nothing), isError("untrusted", /user 65534|EACCES/u));
});

test("root's lock in a user's directory is the user's, too", { skip: !isRoot && "needs root" }, async () => {
  const theirs = mkdtempSync(join(directory, "theirs-"));
  chownSync(theirs, NOBODY, NOBODY);
  const path = join(theirs, "lock");
  await withLock(path, OURS, nothing);
  assert.equal(statSync(path).uid, NOBODY);
  await withLock(path, OURS, nothing);
});

test("a group that may write in the directory shares the lock", async () => {
  const shared = mkdtempSync(join(directory, "shared-"));
  chmodSync(shared, 0o770);
  await withLock(join(shared, "lock"), OURS, nothing);
  assert.equal(statSync(join(shared, "lock")).mode & 0o777, 0o660);
});
