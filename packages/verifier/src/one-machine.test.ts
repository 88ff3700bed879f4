/** A machine has one name: whatever it shows, and whenever it is asked. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { expectationsOf, parseEkRoots } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testLogs, testRelease } from "@ashlar/protocol/test-fixtures";
import { nodesAtUrls } from "./declared/declared-nodes.ts";
import { readExtensionRecord } from "./declared/extension-record.ts";
import { readUpdateRecord } from "./declared/update-record.ts";
import { isNodeName } from "./node-name.ts";
import { addPins, readPins, type Pin } from "./pin-store.ts";
import { proveNodes, type FleetProof, type ProveNodesOptions } from "./prove-nodes.ts";
import { TestAgent } from "./test-agent.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-machine-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const authority = new TestAuthority();
const node = new TestNode(authority);
const otherNode = new TestNode(authority);
const RELEASE = testRelease("1.0.0");
const expectations = expectationsOf({ release: RELEASE, classConfig: Buffer.from("{}"), nodeConfig: new Uint8Array() });
const LOGS = testLogs(RELEASE, expectations.classConfigSha256, expectations.nodeConfigSha256);
const JUDGING = { ekRoots: parseEkRoots(authority.roots), candidates: [], maxAgeMs: 60_000 };

let options: ProveNodesOptions;
let run = 0;
beforeEach(() => {
  run += 1;
  options = { ...JUDGING, pinsPath: join(directory, `${run}`, "pins.json") };
});

const prove = async (agents: Readonly<Record<string, TestAgent>>, more: object = {}): Promise<FleetProof> =>
  proveNodes(
    Object.entries(agents).map(([name, { url }]) => ({ name, url, expectations })),
    { ...options, ...more },
  );

const found = ({ fleet }: FleetProof): string[] =>
  fleet.nodes.map(({ name, level, differences }) => `${name} ${level} ${differences[0]?.found ?? ""}`.trim());

const pinned = async (): Promise<string[]> => [...(await readPins(options.pinsPath)).keys()].toSorted();

test("a machine that is pinned under one name is not enrolled under another", async () => {
  node.boot(LOGS);
  await using agent = await TestAgent.start(node, RELEASE);
  assert.deepEqual(found(await prove({ "node-1": agent })), ["node-1 proven"]);
  const [second] = found(await prove({ "node-2": agent }));
  assert.match(second ?? "", /^node-2 mismatch enrolment: .* found the one of node-1 \(/u);
  assert.deepEqual(await pinned(), ["node-1"]);
  // Neither with one name, nor with both while both are asked.
  const again = await prove({ "node-2": agent }, { enrolAgain: new Set(["node-2"]) });
  assert.match(found(again)[0] ?? "", /^node-2 mismatch .*node-1/u);
  const both = await prove({ "node-1": agent, "node-2": agent }, { enrolAgain: new Set(["node-1", "node-2"]) });
  assert.deepEqual(
    found(both).map((each) => each.slice(0, 15)),
    ["node-1 mismatch", "node-2 mismatch"],
  );
  assert.deepEqual(await pinned(), ["node-1"]);
});

test("two machines may change their names when both are named", async () => {
  node.boot(LOGS);
  otherNode.boot(LOGS);
  await using agent = await TestAgent.start(node, RELEASE);
  await using other = await TestAgent.start(otherNode, RELEASE);
  await prove({ "node-1": agent, "node-2": other });
  const enrolAgain = new Set(["node-1", "node-2"]);
  const swapped = await prove({ "node-1": other, "node-2": agent }, { enrolAgain });
  assert.deepEqual(found(swapped), ["node-1 proven", "node-2 proven"]);
  assert.deepEqual(found(await prove({ "node-1": other, "node-2": agent })), ["node-1 proven", "node-2 proven"]);
});

test("of two names for one machine in one run none is pinned", async () => {
  node.boot(LOGS);
  await using agent = await TestAgent.start(node, RELEASE);
  const proof = await prove({ "node-1": agent, "node-2": agent });
  assert.match(found(proof)[0] ?? "", /one TPM answers for node-1, node-2$/u);
  assert.deepEqual(await pinned(), []);
});

test("a pin that shares its TPM with another name's is a mismatch, also alone", async () => {
  node.boot(LOGS);
  await using agent = await TestAgent.start(node, RELEASE);
  await prove({ "node-1": agent });
  const { schema, pins }: { schema: string; pins: Record<string, Pin> } = JSON.parse(
    readFileSync(options.pinsPath, "utf8"),
  );
  const pin = pins["node-1"]!;
  const others: readonly Pin[] = [
    { ...pin, akName: "0".repeat(68) },
    { ...pin, ekSha256: "0".repeat(64) },
  ];
  for (const other of others) {
    writeFileSync(options.pinsPath, JSON.stringify({ schema, pins: { "node-1": pin, "node-2": other } }));
    assert.match(found(await prove({ "node-1": agent }))[0] ?? "", /^node-1 mismatch .*pinned for node-2/u);
  }
});

test("one machine ID is one machine: in one run, in two, and in the pins", async () => {
  // As one TPM with two EK certificates shows it: other keys, and what was measured in this boot.
  const id = "f".repeat(32);
  const words = LOGS.words.map(({ pcr, word }) => ({ pcr, word: word.replace(/(?<=^machine-id:).*/u, id) }));
  for (const each of [node, otherNode]) each.boot({ ...LOGS, words });
  await using agent = await TestAgent.start(node, RELEASE);
  await using other = await TestAgent.start(otherNode, RELEASE);
  const together = found(await prove({ "node-1": agent, "node-2": other }));
  assert.deepEqual(together, [
    "node-1 mismatch one TPM answers for node-1, node-2",
    "node-2 mismatch one TPM answers for node-1, node-2",
  ]);
  assert.deepEqual(await pinned(), []);
  assert.deepEqual(found(await prove({ "node-1": agent })), ["node-1 proven"]);
  assert.equal((await readPins(options.pinsPath)).get("node-1")?.machineId, id);
  assert.match(found(await prove({ "node-2": other }))[0] ?? "", /^node-2 mismatch .*pinned for node-1/u);
  assert.deepEqual(await pinned(), ["node-1"]);
});

test("what another process has pinned meanwhile is not pinned under a second name", async () => {
  const pin: Pin = {
    ekSha256: "1".repeat(64),
    akName: "2".repeat(68),
    enrolledAt: "2026-01-01T00:00:00.000Z",
    resetCount: 0,
    firmware: { "0": "0".repeat(64), "2": "0".repeat(64), "3": "0".repeat(64), "7": "0".repeat(64) },
  };
  const none = new Set<string>();
  assert.deepEqual(await addPins(options.pinsPath, new Map([["a", pin]]), none), new Map());
  assert.deepEqual(await addPins(options.pinsPath, new Map([["b", pin]]), none), new Map([["b", "a"]]));
  assert.deepEqual(await pinned(), ["a"]);
});

test("a node's name is a host name or an address, before anything is asked", async () => {
  const long = `${"a".repeat(63)}.`.repeat(3);
  const good = ["node-1", "worker-1.example.org", "10.0.0.1", "worker:8443", "::1", "[::1]:8443", "a", `${long}a`];
  for (const name of good) assert.ok(isNodeName(name), name);
  const bad = [
    "__proto__",
    "a_b",
    "",
    ".",
    "..",
    "a..b",
    "a.",
    "-a",
    "a-",
    "a/b",
    "a b",
    "[::1]",
    "::1%eth0",
    "a:99999",
  ];
  for (const name of [...bad, "ä", "a\n", "a".repeat(64), `${long}${long}`]) assert.ok(!isNodeName(name), name);
  for (const url of ["https://__proto__:7443", "https://a_b", "https://-a.example"]) {
    await assert.rejects(nodesAtUrls(url, undefined, undefined), { code: "usage" }, url);
  }
  const { nodes } = await nodesAtUrls(
    "https://[::1],https://[::1]:8443,https://Worker.example:7443",
    undefined,
    undefined,
  );
  assert.deepEqual(
    nodes.map(({ name }) => name),
    ["::1", "[::1]:8443", "worker.example"],
  );
  node.boot(LOGS);
  await using agent = await TestAgent.start(node, RELEASE);
  await assert.rejects(proveNodes([{ name: "__proto__", url: agent.url, expectations }], options), { code: "usage" });
  assert.deepEqual(agent.asked, []);
});

test("records refuse members that they would pass over", async () => {
  const pin = '{"ekSha256":"x"}';
  const path = join(directory, "record.json");
  const cases: readonly (readonly [string, (path: string) => Promise<unknown>, readonly string[]])[] = [
    ["pins", readPins, ['{"schema":"ashlar.pins/v2","pins":{"__proto__":{}}}', `{"pins":${pin}}`]],
    [
      "updates",
      readUpdateRecord,
      [
        '{"schema":"ashlar.update-record/v1","turn":null,"declared":{"__proto__":"1.0.0"}}',
        '{"schema":"ashlar.update-record/v1","turn":null,"declared":{"a":"1.0.0","a":"1.1.0"}}',
      ],
    ],
    [
      "extensions",
      readExtensionRecord,
      [
        '{"schema":"ashlar.extension-record/v1","turn":null,"exceptions":{"__proto__":[]}}',
        '{"schema":"ashlar.extension-record/v1","turn":null,"exceptions":{"a":[],"a":[]}}',
      ],
    ],
  ];
  for (const [what, read, texts] of cases) {
    for (const text of texts) {
      writeFileSync(path, text);
      await assert.rejects(read(path), { code: "malformed" }, `${what}: ${text}`);
    }
  }
});
