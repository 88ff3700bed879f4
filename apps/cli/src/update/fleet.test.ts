import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { Drawn } from "@ashlar/host/terminal";
import { AshlarError } from "@ashlar/base";
import type { UpdateStatus } from "@ashlar/protocol";
import { testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import { readUpdateRecord } from "@ashlar/verifier/declared";
import { findPreviousRelease, type Goal, type NodeAccess, type TurnEvent, updateFleet } from "@ashlar/rollout";
import { TEST_GOAL } from "@ashlar/rollout/test-fixtures";
import { createProgressPrinter } from "./progress-printer.ts";
import { resultTable } from "./result-table.ts";
import { tellRelease } from "./tell-step.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-update-"));
after(() => rmSync(directory, { recursive: true }));

let recordPath: string;
let events: TurnEvent<UpdateStatus>[];
let run = 0;
beforeEach(() => {
  run += 1;
  recordPath = join(directory, `${run}`, "updates.json");
  events = [];
});

/** A node that lives in this process: how it answers is up to the test. */
class SimulatedNode implements NodeAccess {
  readonly name: string;
  readonly orders: string[] = [];
  status_: UpdateStatus;
  /** How many boots of the new release fail before it goes back. */
  failingBoots = 0;
  /** Questions that find nobody at home. */
  silent = 0;
  runsSomethingElse = false;
  onReboot: () => void = () => undefined;

  constructor(name: string, version = "1.0.0") {
    this.name = name;
    this.status_ = testUpdateStatus({ version, bootId: `${name}-1` });
  }

  change(change: Partial<UpdateStatus>): void {
    this.status_ = { ...this.status_, ...change };
  }

  async status(): Promise<UpdateStatus> {
    if (this.silent > 0) {
      this.silent -= 1;
      throw new AshlarError("unavailable", "ECONNREFUSED");
    }
    const now = this.status_;
    this.#tick();
    return now;
  }

  /** Each answer brings it a little further. */
  #tick(): void {
    const { phase, target, trial, version, bootId } = this.status_;
    if (phase === "fetching") this.change({ phase: "installing" });
    else if (phase === "installing") this.change({ phase: "idle", target: null, staged: target });
    else if (trial && this.failingBoots > 1) {
      this.failingBoots -= 1;
      this.silent = 1;
      this.change({ bootId: `${bootId}'` });
    } else if (trial && this.failingBoots === 1) {
      this.failingBoots = 0;
      const failure = { version, bootId, at: "2026-11-22T12:00:00Z", check: "containerd", message: "no\nanswer" };
      this.change({ version: "1.0.0", bootId: `${bootId}-back`, trial: false, failures: [failure] });
    } else if (trial) this.change({ trial: false });
  }

  async prove(version: string): Promise<string | undefined> {
    return version === this.status_.version && !this.runsSomethingElse ? undefined : "PCR 11: expected a, found b";
  }

  async proveNextBoot(version: string): Promise<string | undefined> {
    return version === this.status_.staged ? undefined : `it boots ${this.status_.staged}`;
  }

  async order({ order, target }: Goal): Promise<UpdateStatus> {
    this.orders.push(`${order} ${target}`);
    if (order === "rollback") this.change({ staged: target });
    else {
      const progress = { totalBytes: 200e6, copiedBytes: 190e6, fetchedBytes: 3_100_000 };
      this.change({ phase: "fetching", target, progress });
    }
    return this.status_;
  }

  async reboot(): Promise<void> {
    this.orders.push("reboot");
    this.onReboot();
    this.silent = 2;
    const { staged, version, bootId } = this.status_;
    this.change({ version: staged ?? version, staged: null, trial: true, bootId: `${bootId}-next` });
    throw new AshlarError("unavailable", "ECONNRESET");
  }
}

async function update(
  nodes: readonly NodeAccess[],
  goal: Partial<Goal> = {},
  signal: AbortSignal = new AbortController().signal,
): ReturnType<typeof updateFleet> {
  const onEvent = (event: TurnEvent<UpdateStatus>): void => void events.push(event);
  return await updateFleet(nodes, { ...TEST_GOAL, ...goal }, { recordPath, onEvent, signal, pollMs: 1, answerMs: 100 });
}

test("nodes are updated one after the other, and each has its turn in the record", async () => {
  const [a, b] = [new SimulatedNode("a"), new SimulatedNode("b")];
  const turns: unknown[] = [];
  a.onReboot = b.onReboot = () => {
    turns.push(readUpdateRecord(recordPath).then(({ turn }) => `${turn?.node} ${turn?.from} ${turn?.to}`));
  };
  const { outcome, nodes } = await update([a, b]);
  assert.equal(outcome, "complete");
  assert.deepEqual(await Promise.all(turns), ["a 1.0.0 1.1.0", "b 1.0.0 1.1.0"]);
  for (const { orders } of [a, b]) assert.deepEqual(orders, ["update 1.1.0", "reboot"]);
  const { seconds: _seconds, ...first } = nodes[0]!;
  const bytes = { total: 200e6, copied: 190e6, fetched: 3_100_000 };
  const nothing = { reason: null, failure: null, cluster: null };
  assert.deepEqual(first, {
    name: "a",
    outcome: "updated",
    from: "1.0.0",
    to: "1.1.0",
    proven: "1.1.0",
    bytes,
    ...nothing,
  });
  const { declared, turn } = await readUpdateRecord(recordPath);
  assert.deepEqual([Object.fromEntries(declared), turn], [{ a: "1.1.0", b: "1.1.0" }, undefined]);

  const again = await update([a, b]);
  assert.deepEqual(
    again.nodes.map((node) => node.outcome),
    ["already", "already"],
  );
  assert.deepEqual(a.orders, ["update 1.1.0", "reboot"], "it is left alone");
});

test("the first node that is not proven ends it, with the node's own words", async () => {
  const [a, b, c] = [new SimulatedNode("a"), new SimulatedNode("b"), new SimulatedNode("c")];
  b.failingBoots = 3;
  const result = await update([a, b, c]);
  assert.equal(result.outcome, "stopped");
  assert.deepEqual(
    result.nodes.map((node) => [node.name, node.outcome, node.proven]),
    [
      ["a", "updated", "1.1.0"],
      ["b", "stopped", "1.0.0"],
      ["c", "untouched", null],
    ],
  );
  assert.deepEqual([result.nodes[1]?.reason?.code, result.nodes[1]?.failure?.check], ["fell-back", "containerd"]);
  assert.deepEqual(c.orders, []);
  const { declared, turn } = await readUpdateRecord(recordPath);
  assert.deepEqual([declared.get("b"), turn], ["1.0.0", undefined], "it is what it was, and others can go on");
  const table = resultTable(result).join("\n");
  assert.match(table, /^b +stopped +1\.0\.0 +1\.1\.0 +3\.1 MB/mu);
  assert.match(
    table,
    /^b: it rolled back to 1\.0\.0 on its own: containerd: no\nanswer\n {2}its record: .*\n {2}\| no\n {2}\| answer\n {2}it runs 1\.0\.0: proven$/mu,
  );

  assert.equal((await update([b])).nodes[0]?.reason?.code, "failed-before");
  b.failingBoots = 0;
  assert.equal((await update([b], { retry: true })).outcome, "complete");
});

test("what is not as declared is not touched; what is not proven afterwards keeps its turn", async () => {
  const a = new SimulatedNode("a");
  a.runsSomethingElse = true;
  const before = await update([a]);
  assert.deepEqual([before.nodes[0]?.reason?.code, a.orders.length], ["not-proven", 0]);
  a.runsSomethingElse = false;
  a.onReboot = () => (a.runsSomethingElse = true);
  const afterwards = await update([a]);
  assert.deepEqual([afterwards.nodes[0]?.reason?.code, afterwards.nodes[0]?.proven], ["not-proven", null]);
  assert.equal((await readUpdateRecord(recordPath)).turn?.node, "a");
  const b = new SimulatedNode("b");
  await assert.rejects(update([b]), { code: "conflict" });
  a.runsSomethingElse = false;
  assert.deepEqual(
    (await update([b, a])).nodes.map((node) => `${node.name} ${node.outcome}`),
    ["a updated", "b updated"],
  );
});

test("an interrupted update goes on where it was", async () => {
  const a = new SimulatedNode("a");
  const interruption = new AbortController();
  a.onReboot = () => interruption.abort();
  await assert.rejects(update([a], {}, interruption.signal), { code: "interrupted" });
  assert.equal((await readUpdateRecord(recordPath)).turn?.to, "1.1.0");
  a.silent = 10;
  const { nodes } = await update([a]);
  assert.deepEqual([nodes[0]?.outcome, nodes[0]?.from], ["updated", "1.1.0"]);
  assert.deepEqual(a.orders, ["update 1.1.0", "reboot"], "it is not told again");
});

test("a rollback after an interrupted downgrade leads back to the newer release, and goes on there", async () => {
  const a = new SimulatedNode("a", "1.1.0");
  const interruption = new AbortController();
  a.onReboot = () => interruption.abort();
  const down = { target: "1.0.0", allowDowngrade: true };
  await assert.rejects(update([a], down, interruption.signal), { code: "interrupted" });
  a.onReboot = () => undefined;
  const back = async (): Promise<Goal> => {
    const node = { name: "a", url: "https://127.0.0.1:1" };
    const target = await findPreviousRelease(node, await readUpdateRecord(recordPath), new AbortController().signal);
    return { ...TEST_GOAL, target, order: "rollback", allowDowngrade: true };
  };
  const goal = await back();
  assert.equal(goal.target, "1.1.0");
  const again = new AbortController();
  a.onReboot = () => again.abort();
  await assert.rejects(update([a], goal, again.signal), { code: "interrupted" });
  a.onReboot = () => undefined;
  assert.equal((await back()).target, "1.1.0", "an interrupted rollback goes on");
  assert.equal((await update([a], await back())).nodes[0]?.proven, "1.1.0");
  assert.deepEqual(a.orders, ["update 1.0.0", "reboot", "rollback 1.1.0", "reboot"]);
});

test("a release can be staged without a restart, and taken back", async () => {
  const a = new SimulatedNode("a");
  assert.equal((await update([a], { reboot: false })).nodes[0]?.outcome, "staged");
  assert.deepEqual(a.orders, ["update 1.1.0"]);
  assert.equal((await update([a])).nodes[0]?.outcome, "updated");
  const back = await update([a], { target: "1.0.0", order: "rollback", allowDowngrade: true });
  assert.deepEqual([back.action, back.nodes[0]?.proven], ["rollback", "1.0.0"]);
  assert.deepEqual(a.orders, ["update 1.1.0", "reboot", "rollback 1.0.0", "reboot"]);
});

test("a node that refuses or is not there stops it", async () => {
  const a = new SimulatedNode("a");
  a.order = async () => Promise.reject(new AshlarError("untrusted", "not an operator", { hint: "another key" }));
  const { nodes } = await update([a]);
  assert.deepEqual(nodes[0]?.reason, { code: "refused", message: "not an operator", hint: "another key" });
  a.silent = Infinity;
  assert.equal((await update([a])).nodes[0]?.reason?.code, "no-answer");
});

test("away from a terminal each change is a line", async () => {
  await update([new SimulatedNode("a")]);
  let text = "";
  const output = { write: (more: Drawn) => (text += more.toString()), isTerminal: false, nowMs: () => 0 };
  const printer = createProgressPrinter(output, tellRelease(TEST_GOAL));
  for (const event of events) printer.report(event);
  printer.close();
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => line.replace("a: ", ""));
  assert.deepEqual(lines, [
    "proving that it runs 1.0.0",
    "telling it to stage 1.1.0",
    "fetching 1.1.0: 190.0 MB copied, 3.1 MB fetched, of 200.0 MB",
    "installing 1.1.0",
    "proving that it boots 1.1.0 next",
    "restarting it",
    "1.1.0 is on trial until it is found healthy",
    "proving that it runs 1.1.0",
    "runs 1.1.0: proven",
  ]);
});

test("a terminal has one line per node", async () => {
  await update([new SimulatedNode("a"), new SimulatedNode("b")]);
  let text = "";
  const printer = createProgressPrinter(
    { write: (more) => (text += more), isTerminal: true, nowMs: () => 0 },
    tellRelease(TEST_GOAL),
  );
  for (const event of events) printer.report(event);
  printer.close();
  const lines = text.split("\n").map((line) => line.split("\r\u001B[K").at(-1));
  assert.deepEqual(lines, ["a  runs 1.1.0: proven", "b  runs 1.1.0: proven", ""]);
});
