import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { isPortFree } from "./ports.ts";
import { ageOf, endProcesses, findProcesses, isRunning, parseProcess } from "./processes.ts";

const SLEEP_SECONDS = `30.${process.pid}`;
const isOurSleep = (argv: readonly string[]): boolean => argv[1] === SLEEP_SECONDS;

test("a process is found by its arguments, and ends", async () => {
  const child = spawn("sleep", [SLEEP_SECONDS], { stdio: "ignore" });
  await once(child, "spawn");
  const [found, ...others] = await findProcesses(isOurSleep);
  assert.deepEqual(others, []);
  assert.equal(found!.pid, child.pid);
  assert.ok((await ageOf(found!)) < 60);
  assert.equal(
    await isRunning({ ...found!, startTicks: found!.startTicks - 1 }),
    false,
    "an earlier process of that id",
  );
  await endProcesses([found!], 1000);
  assert.equal(await isRunning(found!), false);
  assert.deepEqual(await findProcesses(isOurSleep), []);
});

test("a process that ignores SIGTERM is killed", async () => {
  const child = spawn("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done", SLEEP_SECONDS], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  const found = await findProcesses((argv) => argv[3] === SLEEP_SECONDS);
  assert.equal(found.length, 1);
  await endProcesses(found, 200);
  assert.equal(await isRunning(found[0]!), false);
});

test("the ports of a process with threads are free when it has ended", async () => {
  const program =
    "require('http').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })";
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, ["-e", program, SLEEP_SECONDS], { stdio: ["ignore", "pipe", "ignore"] });
    const [line] = await once(child.stdout, "data");
    await endProcesses(await findProcesses((argv) => argv.at(-1) === SLEEP_SECONDS), 5000);
    assert.ok(await isPortFree(Number(line)));
  }
});

test("a program's name may look like the end of the name field", () => {
  const fields = ["S", ...Array.from({ length: 18 }, () => "0"), "4711", "0"];
  const stat = `7 (a) R 1 (b) ${fields.join(" ")}`;
  assert.deepEqual(parseProcess(7, stat, "a\0--b\0"), { pid: 7, startTicks: 4711, argv: ["a", "--b"] });
  assert.equal(parseProcess(7, stat.replace(") S ", ") Z "), ""), undefined, "a zombie has ended");
  fields[17] = "2";
  const dying = `7 (a) ${fields.join(" ").replace("S", "Z")}`;
  assert.equal(parseProcess(7, dying, "")?.startTicks, 4711, "but not while a thread of it still holds its files");
  assert.equal(parseProcess(7, "7 (a", ""), undefined);
});
