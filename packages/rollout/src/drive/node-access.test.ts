import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { expectationsOf, parseEkRoots, NO_KNOWLEDGE } from "@ashlar/identity";
import { operatorPem, operatorPin, type NextBootReport, type UpdateStatus } from "@ashlar/protocol";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease, testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import { readUpdateRecord, updateRecordPath, KnownReleases } from "@ashlar/verifier/declared";
import { TestAgent } from "@ashlar/verifier/test-fixtures";
import { RemoteNode, type AccessContext } from "./node-access.ts";
import { findPreviousRelease, otherRelease } from "./previous-release.ts";
import { TEST_GOAL } from "../turn/test-goal.ts";
import { updateFleet } from "./update-fleet.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-update-"));
after(() => rmSync(directory, { recursive: true }));

const OLD = testRelease("1.0.0");
const NEW = testRelease("1.1.0");
const CONFIG = Buffer.from("{}");
const authority = new TestAuthority();
const tpm = new TestNode(authority);
const operator = generateKeyPairSync("ec", { namedCurve: "P-256" });
const never = new AbortController().signal;

/** A machine that does at once what it is told; its TPM and the protocol of its agent are real. */
class Machine {
  readonly orders: string[] = [];
  readonly operators = [operatorPin(operator.publicKey)];
  /** The agent gives out what is in here: it runs something else after a restart. */
  readonly release = { ...OLD };
  status: UpdateStatus = testUpdateStatus();
  nextBoot: NextBootReport = testNextBootReport([[OLD, "ashlar_1.0.0.efi"]]);

  constructor() {
    this.#boot(OLD, "boot-1");
  }

  #boot(release: typeof OLD, bootId: string): void {
    const { classConfigSha256, nodeConfigSha256 } = expectationsOf({
      release,
      classConfig: CONFIG,
      nodeConfig: CONFIG,
    });
    tpm.boot(testLogs(release, classConfigSha256, nodeConfigSha256));
    Object.assign(this.release, release);
    this.status = { ...this.status, version: release.version, bootId, staged: null };
  }

  obey(order: string): void {
    this.orders.push(order);
    if (order === "/v1/reboot {}" && this.status.staged === "1.1.0") this.#boot(NEW, "boot-2");
    else if (order === "/v1/reboot {}") this.#boot(OLD, "boot-3");
    else if (order.startsWith("/v1/update")) this.#install("1.1.0");
    else this.#install("1.0.0");
  }

  #install(staged: string): void {
    const isNew = staged === "1.1.0";
    this.status = { ...this.status, staged };
    this.nextBoot = testNextBootReport([
      [OLD, "ashlar_1.0.0.efi"],
      [NEW, isNew ? "ashlar_1.1.0+3.efi" : "ashlar_1.1.0+0-1.efi"],
    ]);
  }
}

async function start(machine: Machine): Promise<TestAgent> {
  const agent: TestAgent = await TestAgent.start(tpm, machine.release, {
    operators: machine.operators,
    get nextBoot() {
      return machine.nextBoot;
    },
    get status() {
      for (const order of agent.orders.splice(0)) machine.obey(order);
      return machine.status;
    },
  });
  return agent;
}

let context: AccessContext;
let run = 0;
beforeEach(async () => {
  run += 1;
  const pinsPath = join(directory, `${run}`, "pins.json");
  context = {
    releases: await KnownReleases.read(updateRecordPath(pinsPath), undefined, [OLD, NEW]),
    extensions: NO_KNOWLEDGE,
    target: "1.1.0",
    allowed: new Set(["1.0.0"]),
    pinsPath,
    ekRoots: parseEkRoots(authority.roots),
    operatorPem: operatorPem(operator.privateKey),
  };
});

function nodeAt(url: string, change: Partial<AccessContext> = {}): RemoteNode {
  return new RemoteNode({ name: "worker", url, classConfig: CONFIG, nodeConfig: CONFIG }, { ...context, ...change });
}

test("a node is updated and rolled back over TLS, with evidence at each step", async () => {
  const machine = new Machine();
  await using agent = await start(machine);
  const recordPath = updateRecordPath(context.pinsPath);
  const options = { recordPath, onEvent: () => undefined, signal: never, pollMs: 1 };
  const { nodes } = await updateFleet([nodeAt(agent.url)], TEST_GOAL, options);
  assert.deepEqual(nodes[0]?.reason, null);
  assert.deepEqual([nodes[0]?.outcome, nodes[0]?.from, nodes[0]?.proven], ["updated", "1.0.0", "1.1.0"]);
  assert.deepEqual(machine.orders, ['/v1/update {"to":"1.1.0","allowDowngrade":false,"retry":false}', "/v1/reboot {}"]);

  const record = await readUpdateRecord(recordPath);
  const target = await findPreviousRelease({ name: "worker", url: agent.url }, record, never);
  assert.equal(target, "1.0.0");
  const back = nodeAt(agent.url, { target, allowed: new Set(["1.1.0"]) });
  const rolledBack = await updateFleet([back], { ...TEST_GOAL, target, order: "rollback", retry: true }, options);
  assert.deepEqual(rolledBack.nodes[0]?.reason, null);
  assert.deepEqual(machine.orders.slice(2), ["/v1/rollback {}", "/v1/reboot {}"]);
  assert.equal((await readUpdateRecord(recordPath)).declared.get("worker"), "1.0.0");
});

test("only what is declared or wanted is proven, and only by a trusted TPM", async () => {
  await using agent = await start(new Machine());
  const other = nodeAt(agent.url, { allowed: new Set(["0.9.0"]) });
  assert.equal(await other.prove("1.0.0", never), "release: expected 0.9.0, found 1.0.0");
  assert.equal(await nodeAt(agent.url, { allowed: undefined }).prove("1.0.0", never), undefined);
  assert.match((await nodeAt(agent.url).prove("1.1.0", never)) ?? "", /^release: expected 1\.1\.0, found 1\.0\.0/u);
  assert.match((await nodeAt(agent.url, { ekRoots: undefined }).prove("1.0.0", never)) ?? "", /--ek-roots/u);
  await assert.rejects(nodeAt(agent.url, { allowed: undefined }).prove("2.0.0", never), { code: "not-found" });
  await assert.rejects(nodeAt("https://127.0.0.1:1").prove("1.0.0", never), { code: "unavailable" });
});

test("what boots next must be the release, whole and known", async () => {
  const machine = new Machine();
  await using agent = await start(machine);
  const node = nodeAt(agent.url);
  await node.prove("1.0.0", never);
  assert.equal(await node.proveNextBoot("1.1.0", never), "next boot: expected 1.1.0, found 1.0.0");
  machine.nextBoot = testNextBootReport([
    [NEW, "ashlar_1.1.0+3.efi"],
    [OLD, "ashlar_1.0.0.efi"],
  ]);
  assert.equal(await node.proveNextBoot("1.1.0", never), undefined);
  const { slots, ...rest } = machine.nextBoot;
  machine.nextBoot = { ...rest, slots: slots.map((slot) => ({ ...slot, badBlocks: 1 })) };
  assert.match((await node.proveNextBoot("1.1.0", never)) ?? "", /expected .*found/u);
  machine.nextBoot = { ...rest, slots, loaderVariables: { LoaderEntryDefault: "evil.efi" } };
  assert.match((await node.proveNextBoot("1.1.0", never)) ?? "", /LoaderEntryDefault/u);
  assert.equal(await node.prove("1.0.0", never), undefined, "the update is about to mend that");
});

test("a node on the wanted release is not done while something wrong would boot next", async () => {
  const machine = new Machine();
  await using agent = await start(machine);
  for (const order of ["/v1/update {}", "/v1/reboot {}"]) machine.obey(order);
  const node = nodeAt(agent.url);
  assert.equal(await node.prove("1.1.0", never), undefined);
  machine.nextBoot = { ...machine.nextBoot, loaderVariables: { LoaderEntryDefault: "evil.efi" } };
  assert.match((await node.prove("1.1.0", never)) ?? "", /^next boot, EFI variable LoaderEntryDefault: expected none/u);
  // Less than wrong is no reason to stop: an old release of somebody else's in the other slot.
  machine.nextBoot = testNextBootReport([
    [NEW, "ashlar_1.1.0.efi"],
    [testRelease("0.9.0"), "ashlar_0.9.0.efi"],
  ]);
  assert.equal(await node.prove("1.1.0", never), undefined);
});

test("orders need the operator's key", async () => {
  const machine = new Machine();
  machine.operators.pop();
  await using agent = await start(machine);
  const node = nodeAt(agent.url);
  await node.prove("1.0.0", never);
  await assert.rejects(node.order(TEST_GOAL, never), { code: "untrusted" });
  await assert.rejects(node.reboot(never), { code: "untrusted" });
  assert.deepEqual(machine.orders, []);
});

test("the release to go back to is in the other slot, or in the turn that was interrupted", async () => {
  const machine = new Machine();
  const report = testNextBootReport([
    [NEW, "ashlar_1.1.0.efi"],
    [OLD, "ashlar_1.0.0.efi"],
  ]);
  const updated = { ...machine.status, version: "1.1.0" };
  assert.equal(otherRelease(updated, report), "1.0.0");
  assert.throws(() => otherRelease(machine.status, machine.nextBoot), { code: "not-found" });
  assert.throws(() => otherRelease({ ...machine.status, staged: "1.1.0" }, report), { code: "conflict" });
  const turn = { node: "worker", since: "2026-11-22T12:00:00Z" };
  const node = { name: "worker", url: "https://127.0.0.1:1" };
  for (const [from, to, order, expected] of [
    ["1.0.0", "1.1.0", "update", "1.0.0"],
    // A downgrade is taken back to the newer release; a rollback goes on.
    ["1.1.0", "1.0.0", "update", "1.1.0"],
    ["1.1.0", "1.0.0", "rollback", "1.0.0"],
    ["1.0.0", "1.1.0", "rollback", "1.1.0"],
    // A record of an earlier version does not say what was ordered.
    ["1.0.0", "1.1.0", undefined, "1.0.0"],
    ["1.1.0", "1.0.0", undefined, "1.0.0"],
  ] as const) {
    const record = { declared: new Map(), turn: { ...turn, from, to, order } };
    assert.equal(await findPreviousRelease(node, record, never), expected, `${order} from ${from} to ${to}`);
  }
});
