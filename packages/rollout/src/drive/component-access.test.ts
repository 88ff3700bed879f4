import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { parseEkRoots, knownExtensionOf } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { extensionRecordPath, readExtensionRecord } from "@ashlar/verifier/declared";
import { RemoteComponent, type ComponentContext } from "./component-access.ts";
import type { ComponentGoal } from "../turn/component-turn.ts";
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
import { updateComponents } from "./update-components.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-component-access-"));
after(() => rmSync(directory, { recursive: true }));

const authority = new TestAuthority();
const tpm = new TestNode(authority);
const never = new AbortController().signal;
const GOAL: ComponentGoal = {
  component: "kubernetes",
  kind: "sysext",
  target: NEW.version,
  rootHash: NEW.image.rootHash,
  allowDowngrade: false,
  retry: false,
  timeoutMs: 5000,
};
const known = [OLD, NEW, TOOLS].map(knownExtensionOf);
let context: ComponentContext;
let run = 0;
beforeEach(() => {
  run += 1;
  context = {
    goal: GOAL,
    right: async () => ({ release: RELEASE, extensions: { known, exceptions: [], alsoAllowed: [] } }),
    pinsPath: join(directory, `${run}`, "pins.json"),
    ekRoots: parseEkRoots(authority.roots),
    candidates: [],
    operatorPem: OPERATOR_PEM,
  };
});

function nodeAt(url: string, change: Partial<ComponentContext> = {}): RemoteComponent {
  const node = { name: "worker", url, classConfig: CONFIG, nodeConfig: new Uint8Array() };
  return new RemoteComponent(node, { ...context, ...change });
}

test("a component is updated over TLS, with evidence before and after", async () => {
  const machine = new ExtensionMachine(tpm);
  await using agent = await machine.start();
  const recordPath = extensionRecordPath(context.pinsPath);
  const options = { recordPath, onEvent: () => undefined, signal: never, pollMs: 1 };
  const { nodes } = await updateComponents([nodeAt(agent.url)], GOAL, options);
  assert.deepEqual(nodes[0]?.reason, null);
  assert.deepEqual([nodes[0]?.outcome, nodes[0]?.from, nodes[0]?.proven], ["updated", "v1.33.2", "v1.33.5"]);
  const request = { component: "kubernetes", to: "v1.33.5", allowDowngrade: false, retry: false };
  assert.deepEqual(machine.orders, [`/v1/extensions/update ${JSON.stringify(request)}`]);
  assert.equal((await readExtensionRecord(recordPath)).turn, undefined);
});

test("what a node boots next does not hinder a component's update, which does not change it", async () => {
  const machine = new ExtensionMachine(tpm);
  machine.nextBoot = WRONG_NEXT_BOOT;
  await using agent = await machine.start();
  assert.equal(await nodeAt(agent.url).prove(machine.status, never), undefined);
});

test("a withdrawn version may be left, not taken", async () => {
  const machine = new ExtensionMachine(tpm);
  await using agent = await machine.start();
  const withdrawn = known.map((each) => Object.assign({}, each, { withdrawn: { reason: "a hole" } }));
  const right: ComponentContext["right"] = async () => {
    return { release: RELEASE, extensions: { known: withdrawn, exceptions: [], alsoAllowed: [] } };
  };
  const node = nodeAt(agent.url, { right });
  assert.equal(await node.prove(machine.status, never), undefined);
  machine.merge(NEW, null);
  assert.match((await node.prove(machine.status, never)) ?? "", /withdrawn: a hole$/u);
});

test("what a node says it has is compared with what it has measured", async () => {
  const machine = new ExtensionMachine(tpm);
  await using agent = await machine.start();
  const node = nodeAt(agent.url);
  const [merged] = machine.status.merged;
  const lie = { ...machine.status, merged: [{ ...merged!, version: "v1.33.5", rootHash: NEW.image.rootHash }] };
  assert.match(
    (await node.prove(lie, never)) ?? "",
    /^extension kubernetes: expected root hash .*, as it says, found/u,
  );
  machine.merge(TOOLS, null);
  assert.match((await node.prove(machine.status, never)) ?? "", /^extension debug-tools: .*not declared/u);
  assert.match((await nodeAt(agent.url, { ekRoots: undefined }).prove(lie, never)) ?? "", /debug-tools/u);
});

test("orders need the operator's key", async () => {
  const machine = new ExtensionMachine(tpm);
  machine.operators.pop();
  await using agent = await machine.start();
  const node = nodeAt(agent.url);
  await node.prove(machine.status, never);
  await assert.rejects(node.order(GOAL, never), { code: "untrusted" });
  assert.deepEqual(machine.orders, []);
});
