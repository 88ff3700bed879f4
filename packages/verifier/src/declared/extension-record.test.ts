import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import {
  allowDebugging,
  beginComponentTurn,
  endComponentTurn,
  endDebugging,
  extensionRecordPath,
  readExtensionRecord,
  rightOfNode,
} from "./extension-record.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-extension-record-"));
after(() => rmSync(directory, { recursive: true }));
let path: string;
let run = 0;
beforeEach(() => {
  run += 1;
  path = extensionRecordPath(join(directory, `state-${run}`, "pins.json"));
});

const image = (digit: string) => ({ kind: "sysext", name: "kubernetes", rootHash: digit.repeat(64) }) as const;
const TURN = { node: "a", component: "kubernetes", to: "v1.33.5", right: [image("1"), image("2")] };

test("both images are right for the node whose turn it is and for no other", async () => {
  const right = async (node: string) => rightOfNode(await readExtensionRecord(path), node).alsoAllowed;
  assert.deepEqual(await right("a"), []);
  await beginComponentTurn(path, TURN);
  assert.deepEqual(await right("a"), TURN.right);
  assert.deepEqual(await right("b"), []);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await endComponentTurn(path, "b");
  assert.deepEqual(await right("a"), TURN.right);
  await endComponentTurn(path, "a");
  assert.deepEqual(await right("a"), []);
});

test("one turn at a time; an interrupted one goes on, and what was right stays so", async () => {
  await beginComponentTurn(path, TURN, new Date(0));
  await assert.rejects(beginComponentTurn(path, { ...TURN, node: "b" }), { code: "conflict", message: /on a/u });
  await assert.rejects(beginComponentTurn(path, { ...TURN, component: "zfs" }), { code: "conflict" });
  const next = { ...TURN, to: "v1.33.6", right: [image("2"), image("3")] };
  await beginComponentTurn(path, next, new Date(1000));
  const right = [image("2"), image("3"), image("1")];
  const since = "1970-01-01T00:00:01.000Z";
  assert.deepEqual((await readExtensionRecord(path)).turn, { ...next, right, since });
});

test("debug sessions are allowed, ended and remembered", async () => {
  const tools = { name: "debug-tools", rootHash: "1".repeat(64), until: "2026-01-02T00:00:00.000Z" };
  const other = { ...tools, name: "strace", rootHash: null };
  const exceptions = async (node: string) => rightOfNode(await readExtensionRecord(path), node).exceptions;
  await allowDebugging(path, "a", tools);
  await allowDebugging(path, "a", other);
  assert.deepEqual([await exceptions("a"), await exceptions("b")], [[tools, other], []]);
  const now = new Date("2026-01-01T12:00:00Z");
  await endDebugging(path, "a", "debug-tools", now);
  assert.deepEqual(await exceptions("a"), [{ ...tools, until: now.toISOString() }, other]);
  await endDebugging(path, "a", "strace", new Date("2026-03-01T00:00:00Z"));
  assert.deepEqual((await exceptions("a"))[1], other, "it was over already");
  await endDebugging(path, "b", "strace", now);
  for (let index = 0; index < 70; index++) await allowDebugging(path, "c", { ...tools, name: `x${index}` });
  assert.deepEqual([(await exceptions("c")).length, (await exceptions("c"))[0]?.name], [64, "x6"]);
});

test("changes at the same time do not lose each other", async () => {
  const exception = { name: "a", rootHash: null, until: "2026-01-02T00:00:00.000Z" };
  const nodes = Array.from({ length: 6 }, (_, index) => `node-${index}`);
  await Promise.all(nodes.map(async (node) => allowDebugging(path, node, exception)));
  assert.equal((await readExtensionRecord(path)).exceptions.size, 6);
});

test("a record that is none is refused, and stays", async () => {
  const exception = { name: "a", rootHash: null, until: "2026-01-02T00:00:00.000Z" };
  await allowDebugging(path, "a", exception);
  const record = { schema: "ashlar.extension-record/v1", turn: null, exceptions: {} };
  const turn = { ...TURN, since: "2026-01-01T00:00:00Z" };
  const wrong = [
    { ...record, schema: "ashlar.extension-record/v2" },
    { ...record, more: 1 },
    { ...record, turn: { ...turn, component: "../a" } },
    { ...record, turn: { ...turn, to: "1-2" } },
    { ...record, turn: { ...turn, since: "today" } },
    { ...record, turn: { ...turn, right: [{ ...image("1"), rootHash: "1" }] } },
    { ...record, exceptions: { "": [] } },
    { ...record, exceptions: { a: [{ ...exception, until: "soon" }] } },
    { ...record, exceptions: { a: Array.from({ length: 65 }, () => exception) } },
  ];
  for (const text of ["", "[]", `${JSON.stringify(record)}x`, ...wrong.map((each) => JSON.stringify(each))]) {
    writeFileSync(path, text);
    await assert.rejects(endComponentTurn(path, "a"), { code: "malformed" }, text);
    assert.equal(readFileSync(path, "utf8"), text);
  }
});
