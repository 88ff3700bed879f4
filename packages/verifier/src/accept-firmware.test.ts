import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sha256 } from "@ashlar/formats";
import { expectationsOf, parseEkRoots } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testLogs, testRelease } from "@ashlar/protocol/test-fixtures";
import { readPins } from "./pin-store.ts";
import { proveNodes } from "./prove-nodes.ts";
import { TestAgent } from "./test-agent.ts";

const authority = new TestAuthority();
const directory = mkdtempSync(join(tmpdir(), "ashlar-firmware-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const RELEASE = testRelease("1.0.0");
const EXPECTATIONS = expectationsOf({
  release: RELEASE,
  classConfig: Buffer.from("{}"),
  nodeConfig: Buffer.from("{}"),
});
const LOGS = testLogs(RELEASE, EXPECTATIONS.classConfigSha256, EXPECTATIONS.nodeConfigSha256);
const late = (name: string) => ({ pcr: 2, type: 0x8000_0004, digest: sha256(name), data: Buffer.from(name) });

test("a machine that loads a driver of its own late is enrolled once the operator has accepted exactly this digest", async () => {
  const node = new TestNode(authority);
  node.boot({ ...LOGS, firmware: [...LOGS.firmware, late("maker's driver")] });
  await using agent = await TestAgent.start(node, RELEASE);
  const targets = [{ name: "worker", url: agent.url, expectations: EXPECTATIONS }];
  const pinsPath = join(directory, "pins.json");
  const options = { ekRoots: parseEkRoots(authority.roots), candidates: [], maxAgeMs: 60_000, pinsPath };
  const prove = async (...digests: readonly string[]) => {
    const acceptFirmware = new Map(digests.length === 0 ? [] : [["worker", digests]]);
    const { fleet } = await proveNodes(targets, { ...options, acceptFirmware });
    return fleet.nodes[0];
  };

  const refused = await prove();
  assert.match(refused?.differences[0]?.what ?? "", /^PCR 2, a program was loaded after/u);
  assert.equal((await prove(sha256("another driver")))?.level, "mismatch");
  assert.equal((await readPins(pinsPath)).size, 0);

  const accepted = sha256("maker's driver");
  assert.equal((await prove(accepted, sha256("never measured")))?.level, "proven");
  assert.deepEqual((await readPins(pinsPath)).get("worker")?.firmware.accepted, [accepted]);
  assert.equal((await prove())?.level, "proven", "it is remembered");

  node.boot({ ...LOGS, firmware: [...LOGS.firmware, late("maker's driver"), late("another driver")] });
  const other = await prove();
  assert.equal(other?.level, "mismatch");
  assert.match(other.differences[0]?.found ?? "", new RegExp(`^Authenticode ${sha256("another driver")}`, "u"));
  // A pin that is there keeps its keys and values, and gets the digest besides.
  const before = (await readPins(pinsPath)).get("worker");
  assert.equal((await prove(sha256("another driver")))?.level, "proven");
  const replaced = (await readPins(pinsPath)).get("worker");
  assert.deepEqual(replaced, {
    ...before,
    firmware: { ...before?.firmware, accepted: [accepted, sha256("another driver")] },
  });
});
