import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import type { AshlarError } from "@ashlar/base";
import { withLock } from "./lock.ts";

const NAME = `lock-test-${process.pid}`;

test("a taken lock is refused with its holder's name, and free afterwards", async () => {
  await withLock(NAME, { holder: "the first" }, async () => {
    await assert.rejects(
      withLock(NAME, { holder: "the second" }, async () => undefined),
      (error: AshlarError) => error.code === "conflict" && error.message.includes("the first"),
    );
  });
  assert.equal(await withLock(NAME, { holder: "the third" }, async () => 3), 3);
});

test("a lock that is waited for is given in the end", async () => {
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = withLock(NAME, { holder: "first" }, async () => {
    await promise;
    order.push("first");
  });
  const second = withLock(NAME, { holder: "second", waitMs: 5000 }, async () => order.push("second"));
  setTimeout(resolve, 50);
  await Promise.all([first, second]);
  assert.deepEqual(order, ["first", "second"]);
});

test("a lock of a killed process is free", async () => {
  const script = `import { withLock } from "${import.meta.dirname}/lock.ts";
    await withLock("${NAME}", { holder: "child" }, async () => { console.log("held"); await new Promise(() => setInterval(() => {}, 1000)); });`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  await assert.rejects(
    withLock(NAME, { holder: "us" }, async () => undefined),
    /in use by child/u,
  );
  child.kill("SIGKILL");
  await once(child, "exit");
  await withLock(NAME, { holder: "us" }, async () => undefined);
});
