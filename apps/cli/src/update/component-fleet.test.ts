import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import type { Drawn } from "@ashlar/host/terminal";
import { AshlarError } from "@ashlar/base";
import { testExtensionsStatus } from "@ashlar/protocol/test-fixtures";
import type { ComponentFailure, ExtensionsStatus } from "@ashlar/protocol";
import { readExtensionRecord } from "@ashlar/verifier/declared";
import {
  type ComponentAccess,
  type ComponentGoal,
  type TurnEvent,
  type UpdateResult,
  updateComponents,
} from "@ashlar/rollout";
import { createProgressPrinter } from "./progress-printer.ts";
import { resultTable } from "./result-table.ts";
import { tellComponent } from "./tell-step.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-components-"));
after(() => rmSync(directory, { recursive: true }));

const GOAL: ComponentGoal = {
  component: "kubernetes",
  kind: "sysext",
  target: "v1.33.5",
  rootHash: "5".repeat(64),
  allowDowngrade: false,
  retry: false,
  timeoutMs: 5000,
};
let recordPath: string;
let events: TurnEvent<ExtensionsStatus>[];
let run = 0;
beforeEach(() => {
  run += 1;
  recordPath = join(directory, `${run}`, "extensions.json");
  events = [];
});

/** A node that lives in this process: each answer brings it a little further. */
class SimulatedNode implements ComponentAccess {
  readonly name: string;
  readonly orders: string[] = [];
  now: ExtensionsStatus;
  /** Its kubelet does not become healthy with the new version. */
  fails = false;
  silent = 0;
  hasSomethingElse = false;
  onOrder: () => void = () => undefined;

  constructor(name: string) {
    this.name = name;
    this.now = testExtensionsStatus({ merged: [image("v1.33.2")] });
  }

  change(change: Partial<ExtensionsStatus>): void {
    this.now = { ...this.now, ...change };
  }

  async status(): Promise<ExtensionsStatus> {
    if (this.silent > 0) {
      this.silent -= 1;
      throw new AshlarError("unavailable", "ECONNREFUSED");
    }
    const { now } = this;
    this.#tick();
    return now;
  }

  #tick(): void {
    const { phase, failures } = this.now;
    if (phase === "fetching") this.change({ phase: "merging" });
    else if (phase === "merging") this.change({ phase: "checking-health", merged: [image("v1.33.5")] });
    else if (phase === "checking-health" && this.fails) this.change({ phase: "reverting" });
    else if (phase === "reverting") {
      this.change({ phase: "idle", target: null, merged: [image("v1.33.2")], failures: [FAILURE, ...failures] });
    } else if (phase === "checking-health") this.change({ phase: "idle", target: null });
  }

  async prove(): Promise<string | undefined> {
    return this.hasSomethingElse ? "extension debug-tools: expected nothing, found 1.0" : undefined;
  }

  async order({ component, target }: ComponentGoal): Promise<ExtensionsStatus> {
    this.orders.push(`${component} ${target}`);
    this.onOrder();
    const progress = { totalBytes: 200e6, copiedBytes: 150e6, fetchedBytes: 50e6 };
    this.change({ phase: "fetching", target: { name: component, version: target }, progress });
    return this.now;
  }
}

const FAILURE: ComponentFailure = {
  name: "kubernetes",
  version: "v1.33.5",
  at: "2026-11-22T12:00:00Z",
  check: "kubelet",
  message: "healthz\nconnection refused",
};

function image(version: string): ExtensionsStatus["merged"][number] {
  return { kind: "sysext", name: "kubernetes", version, rootHash: (version.at(-1) ?? "").repeat(64), until: null };
}

async function update(
  nodes: readonly ComponentAccess[],
  goal: Partial<ComponentGoal> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<UpdateResult> {
  const onEvent = (event: TurnEvent<ExtensionsStatus>): void => void events.push(event);
  return await updateComponents(nodes, { ...GOAL, ...goal }, { recordPath, onEvent, signal, pollMs: 1, answerMs: 100 });
}

test("node by node, each in its turn, and again there is nothing to do", async () => {
  const [a, b] = [new SimulatedNode("a"), new SimulatedNode("b")];
  const turns: unknown[] = [];
  a.onOrder = b.onOrder = () => {
    turns.push(
      readExtensionRecord(recordPath).then(({ turn }) => [
        turn?.node,
        turn?.to,
        turn?.right.map((each) => each.rootHash[0]),
      ]),
    );
  };
  const { nodes, ...result } = await update([a, b]);
  assert.deepEqual(result, {
    schema: "ashlar.update-result/v1",
    action: "update",
    component: "kubernetes",
    outcome: "complete",
  });
  assert.deepEqual(await Promise.all(turns), [
    ["a", "v1.33.5", ["2", "5"]],
    ["b", "v1.33.5", ["2", "5"]],
  ]);
  const { seconds: _, ...first } = nodes[0]!;
  assert.deepEqual(first, {
    name: "a",
    outcome: "updated",
    from: "v1.33.2",
    to: "v1.33.5",
    proven: "v1.33.5",
    bytes: { total: 200e6, copied: 150e6, fetched: 50e6 },
    reason: null,
    failure: null,
    cluster: null,
  });
  assert.equal((await readExtensionRecord(recordPath)).turn, undefined);
  const again = await update([a, b]);
  assert.deepEqual(
    again.nodes.map(({ outcome }) => outcome),
    ["already", "already"],
  );
  assert.deepEqual([a.orders, b.orders], [["kubernetes v1.33.5"], ["kubernetes v1.33.5"]]);
});

test("the first node that goes back ends it, with the node's own words", async () => {
  const [a, b, c] = [new SimulatedNode("a"), new SimulatedNode("b"), new SimulatedNode("c")];
  b.fails = true;
  const result = await update([a, b, c]);
  assert.deepEqual(
    result.nodes.map(({ name, outcome, proven }) => [name, outcome, proven]),
    [
      ["a", "updated", "v1.33.5"],
      ["b", "stopped", "v1.33.2"],
      ["c", "untouched", null],
    ],
  );
  assert.deepEqual([result.outcome, result.nodes[1]?.reason?.code], ["stopped", "fell-back"]);
  assert.match(
    resultTable(result).join("\n"),
    /^b: it rolled back to v1\.33\.2 on its own: kubelet: healthz\nconnection refused\n {2}its record: v1\.33\.5 .*\n {2}\| healthz\n {2}\| connection refused\n {2}it runs v1\.33\.2: proven$/mu,
  );
  assert.equal((await readExtensionRecord(recordPath)).turn, undefined, "others can go on");
  assert.equal((await update([b])).nodes[0]?.reason?.code, "failed-before");
  b.fails = false;
  assert.equal((await update([b], { retry: true })).outcome, "complete");
});

test("what is not proven is not touched; what is not proven afterwards keeps its turn", async () => {
  const [a, b] = [new SimulatedNode("a"), new SimulatedNode("b")];
  a.hasSomethingElse = true;
  const before = await update([a, b]);
  assert.deepEqual(
    before.nodes.map(({ outcome }) => outcome),
    ["stopped", "untouched"],
  );
  assert.deepEqual([before.nodes[0]?.reason?.code, a.orders], ["not-proven", []]);
  a.hasSomethingElse = false;
  a.onOrder = () => (a.hasSomethingElse = true);
  const afterwards = await update([a]);
  assert.deepEqual([afterwards.nodes[0]?.reason?.code, afterwards.nodes[0]?.proven], ["not-proven", null]);
  await assert.rejects(update([b]), { code: "conflict", message: /finished: a's$/u });
  a.hasSomethingElse = false;
  assert.deepEqual(
    (await update([b, a])).nodes.map(({ name, outcome }) => `${name} ${outcome}`),
    ["a updated", "b updated"],
  );
});

test("an interrupted update goes on where it was", async () => {
  const a = new SimulatedNode("a");
  const interruption = new AbortController();
  a.onOrder = () => interruption.abort();
  await assert.rejects(update([a], {}, interruption.signal), { code: "interrupted" });
  assert.equal((await readExtensionRecord(recordPath)).turn?.to, "v1.33.5");
  a.silent = 2;
  assert.equal((await update([a])).nodes[0]?.outcome, "updated");
  assert.equal(a.orders.length, 1, "it is not told again");
});

test("a node that refuses stops it", async () => {
  const a = new SimulatedNode("a");
  a.order = async () => Promise.reject(new AshlarError("untrusted", "not an operator", { hint: "another key" }));
  const { nodes } = await update([a]);
  assert.deepEqual(nodes[0]?.reason, { code: "refused", message: "not an operator", hint: "another key" });
});

test("each change is a line", async () => {
  await update([new SimulatedNode("a")]);
  let text = "";
  const output = { write: (more: Drawn) => (text += more.toString()), isTerminal: false, nowMs: () => 0 };
  const printer = createProgressPrinter(output, tellComponent(GOAL));
  for (const event of events) printer.report(event);
  printer.close();
  const lines = text.trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => line.replace("a: ", "")),
    [
      "proving that it has kubernetes v1.33.2",
      "telling it to take kubernetes to v1.33.5",
      "fetching kubernetes v1.33.5: 150.0 MB copied, 50.0 MB fetched, of 200.0 MB",
      "merging kubernetes v1.33.5",
      "checking-health kubernetes v1.33.5",
      "proving that it has kubernetes v1.33.5",
      "has kubernetes v1.33.5: proven",
    ],
  );
});
