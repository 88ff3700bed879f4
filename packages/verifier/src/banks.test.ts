/** Nodes with other PCR banks than SHA-256 alone, over HTTPS: enrolled, pinned on disk, proven again, and from stored evidence. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { expectationsOf, parseEkRoots } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testLogs, testRelease } from "@ashlar/protocol/test-fixtures";
import { readPins } from "./pin-store.ts";
import { proveNodes } from "./prove-nodes.ts";
import { keepIn } from "./stored/keep-evidence.ts";
import { proveStored } from "./prove-stored.ts";
import { readStoredFleet } from "./stored/read-fleet.ts";
import { writeStoredFleet } from "./stored/write-fleet.ts";
import { TestAgent } from "./test-agent.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-banks-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const authority = new TestAuthority();
const machines = [new TestNode(authority, "sha384"), new TestNode(authority, "sha256,sha384")];
const RELEASE = testRelease("1.0.0");
const EXPECTATIONS = expectationsOf({ release: RELEASE, classConfig: Buffer.from("{}"), nodeConfig: new Uint8Array() });
const LOGS = testLogs(RELEASE, EXPECTATIONS.classConfigSha256, EXPECTATIONS.nodeConfigSha256);
const JUDGING = { ekRoots: parseEkRoots(authority.roots), candidates: [], maxAgeMs: 600_000 };

for (const [index, banks] of ["sha384", "sha256,sha384"].entries()) {
  test(`${banks}: pins and stored evidence keep each bank's values`, async () => {
    const node = machines[index] ?? assert.fail();
    node.boot(LOGS);
    await using agent = await TestAgent.start(node, RELEASE);
    const evidenceDirectory = join(directory, `evidence-${banks}`);
    await writeStoredFleet(evidenceDirectory, {
      manifest: "{}",
      ekRoots: undefined,
      known: [RELEASE],
      extensions: [],
      nodes: ["node-1"],
    });
    const options = {
      ...JUDGING,
      pinsPath: join(directory, `pins-${banks}.json`),
      evidence: keepIn(evidenceDirectory),
    };
    const targets = [{ name: "node-1", url: agent.url, expectations: EXPECTATIONS }];
    const first = await proveNodes(targets, options);
    assert.deepEqual(first.fleet.nodes[0]?.differences, []);
    assert.equal(first.fleet.nodes[0]?.level, "proven");

    const pins = await readPins(options.pinsPath);
    const { firmware } = pins.get("node-1") ?? assert.fail("no pin");
    const digits = [firmware["0"].length, firmware.sha384?.["0"].length];
    assert.deepEqual(digits, banks === "sha384" ? [96, undefined] : [64, 96]);

    const again = await proveNodes(targets, options);
    assert.equal(again.fleet.nodes[0]?.level, "proven");
    assert.deepEqual(await readPins(options.pinsPath), pins);

    const { nodes, strangers } = await readStoredFleet(evidenceDirectory);
    const stored = await proveStored(evidenceDirectory, nodes, {
      ...JUDGING,
      release: RELEASE,
      extensions: [],
      strangers,
    });
    assert.deepEqual(stored.fleet.nodes[0]?.differences, []);
    assert.equal(stored.fleet.nodes[0]?.level, "proven");
  });
}
