import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { parseEkRoots, knownExtensionOf } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { extensionRecordPath, readExtensionRecord, type DeclaredNode } from "@ashlar/verifier/declared";
import {
  CONFIG,
  ExtensionMachine,
  NEW,
  OLD,
  OPERATOR_PEM,
  RELEASE,
  TOOLS,
  WRONG_NEXT_BOOT,
} from "./test-extension-machine.ts";
import { beginDebugSession, endDebugSession, type DebugContext } from "./debug-session.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-debug-"));
after(() => rmSync(directory, { recursive: true }));

const authority = new TestAuthority();
const tpm = new TestNode(authority);
const known = [OLD, NEW, TOOLS].map(knownExtensionOf);
let context: DebugContext;
let told: string[];
let run = 0;
beforeEach(() => {
  run += 1;
  told = [];
  const pinsPath = join(directory, `${run}`, "pins.json");
  context = {
    verifier: { pinsPath, ekRoots: parseEkRoots(authority.roots), candidates: [] },
    right: async () => ({ release: RELEASE, extensions: { known, exceptions: [], alsoAllowed: [] } }),
    operatorPem: OPERATOR_PEM,
    extensionRecordPath: extensionRecordPath(pinsPath),
    signal: new AbortController().signal,
    timeoutMs: 5000,
    pollMs: 1,
    onProgress: (line) => void told.push(line),
  };
});

function nodeAt(url: string): DeclaredNode {
  return { name: "worker", url, classConfig: CONFIG, nodeConfig: new Uint8Array() };
}

const untilOf = async (): Promise<number[]> =>
  ((await readExtensionRecord(context.extensionRecordPath)).exceptions.get("worker") ?? []).map(({ until }) =>
    Date.parse(until),
  );

test("a session is merged and proven as an exception, and removed before its time", async () => {
  const machine = new ExtensionMachine(tpm);
  await using agent = await machine.start();
  const begun = await beginDebugSession(nodeAt(agent.url), "debug-tools", 3600, context);
  assert.deepEqual([begun.level, begun.version, begun.differences], ["proven", "1.0", []]);
  const leftMs = Date.parse(begun.until ?? "") - Date.now();
  assert.ok(leftMs > 3_590_000 && leftMs <= 3_600_000);
  assert.deepEqual(machine.orders, ['/v1/extensions/debug {"extension":"debug-tools","seconds":3600}']);
  assert.deepEqual(told, ["worker: telling it to merge debug-tools"]);

  const ended = await endDebugSession(nodeAt(agent.url), "debug-tools", context);
  assert.deepEqual([ended.level, ended.version, ended.until], ["proven", null, null]);
  assert.equal(machine.orders[1], '/v1/extensions/debug {"extension":"debug-tools","seconds":0}');
  assert.ok((await untilOf()).every((until) => until <= Date.now()));
  // It has removed it by itself: there is nothing to order.
  assert.equal((await endDebugSession(nodeAt(agent.url), "debug-tools", context)).level, "proven");
  assert.equal(machine.orders.length, 2);
});

test("what the node does not merge is no exception", async () => {
  const machine = new ExtensionMachine(tpm);
  machine.refusal = "its signature is nobody's";
  await using agent = await machine.start();
  await assert.rejects(beginDebugSession(nodeAt(agent.url), "debug-tools", 3600, context), {
    code: "failed",
    message: /^worker has not merged debug-tools: its signature is nobody's$/u,
  });
  assert.ok((await untilOf()).every((until) => until <= Date.now()));
  machine.operators.pop();
  await assert.rejects(beginDebugSession(nodeAt(agent.url), "debug-tools", 3600, context), { code: "untrusted" });
});

test("a node that is not proven can be debugged, too, and stays what it is", async () => {
  const machine = new ExtensionMachine(tpm);
  machine.unmerge("kubernetes");
  await using agent = await machine.start();
  const begun = await beginDebugSession(nodeAt(agent.url), "debug-tools", 60, context);
  assert.deepEqual([begun.level, begun.version], ["mismatch", "1.0"]);
  assert.deepEqual(
    begun.differences.map(({ what }) => what),
    ["extension kubernetes"],
  );
  assert.match(told[0] ?? "", /^worker is not proven as it is: extension kubernetes: /u);
});

test("a wrong next boot is said before the session and in its result, beside what runs", async () => {
  const machine = new ExtensionMachine(tpm);
  machine.nextBoot = WRONG_NEXT_BOOT;
  await using agent = await machine.start();
  const begun = await beginDebugSession(nodeAt(agent.url), "debug-tools", 60, context);
  assert.match(told[0] ?? "", /^worker is not proven as it is: next boot, EFI variable LoaderEntryDefault: /u);
  assert.deepEqual([begun.level, begun.differences, begun.nextBoot?.level], ["proven", [], "mismatch"]);
  assert.equal(begun.nextBoot?.differences[0]?.code, "firmware-variable");
});

test("only published extensions that are not declared, and only of the enrolled node", async () => {
  const machine = new ExtensionMachine(tpm);
  await using agent = await machine.start();
  const node = nodeAt(agent.url);
  await assert.rejects(beginDebugSession(node, "kubernetes", 60, context), { code: "usage" });
  await assert.rejects(beginDebugSession(node, "strace", 60, context), { code: "not-found" });
  const otherAuthority = new TestAuthority();
  // The first TPM makes the authority's certificates.
  assert.ok(new TestNode(otherAuthority).keys.ak.length > 0);
  const ekRoots = parseEkRoots(otherAuthority.roots);
  const other = { ...context, verifier: { ...context.verifier, ekRoots } };
  await assert.rejects(beginDebugSession(node, "debug-tools", 60, other), { code: "untrusted" });
  assert.deepEqual(machine.orders, []);
});
