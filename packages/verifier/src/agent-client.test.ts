import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { operatorPem, operatorPin, type UpdateStatus } from "@ashlar/protocol";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { testExtensionsStatus, testRelease, testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import { AgentClient } from "./agent-client.ts";
import { TestAgent } from "./test-agent.ts";

const node = new TestNode(new TestAuthority());
const RELEASE = testRelease("1.0.0");
const STATUS: UpdateStatus = testUpdateStatus({ bootId: "0f0e0d0c-0b0a-0908-0706-050403020100" });
const operator = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = operatorPem(operator.privateKey);
const operators = [operatorPin(operator.publicKey)];

test("the status is for everybody, orders are the operator's", async () => {
  await using agent = await TestAgent.start(node, RELEASE, { status: STATUS, operators });
  using reader = new AgentClient(agent.url);
  assert.deepEqual(await reader.updateStatus(), STATUS);
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  using other = new AgentClient(agent.url, { operatorPem: operatorPem(stranger), peer: agent.peer });
  await assert.rejects(other.order("rollback"), {
    code: "untrusted",
    message: /status 403: it is forbidden/u,
    hint: "ask",
  });
  const peer = { ...agent.peer, machineId: "0".repeat(32) };
  using misled = new AgentClient(agent.url, { operatorPem: pem, peer });
  await assert.rejects(misled.order("rollback"), { code: "untrusted", message: /status 403: it is forbidden/u });
  assert.deepEqual(agent.orders, []);

  using client = new AgentClient(agent.url, { operatorPem: pem, peer: agent.peer });
  assert.deepEqual(await client.order("update", { to: "1.1.0", retry: true }), STATUS);
  assert.deepEqual(agent.orders, ['/v1/update {"to":"1.1.0","retry":true}']);
  await assert.rejects(client.order("reboot"), { code: "conflict" });
});

test("the same for extensions", async () => {
  const extensions = testExtensionsStatus({ phase: "checking", target: { name: "kubernetes", version: null } });
  await using agent = await TestAgent.start(node, RELEASE, { extensions, operators });
  using reader = new AgentClient(agent.url);
  assert.deepEqual(await reader.extensionsStatus(), extensions);
  await assert.rejects(reader.updateStatus(), { code: "not-found" });
  using client = new AgentClient(agent.url, { operatorPem: pem, peer: agent.peer });
  assert.deepEqual(await client.updateComponent({ component: "kubernetes", to: "v1.33.5" }), extensions);
  assert.deepEqual(agent.orders.splice(0), ['/v1/extensions/update {"component":"kubernetes","to":"v1.33.5"}']);
  assert.deepEqual(await client.debug({ extension: "debug-tools", seconds: 60 }), extensions);
  assert.deepEqual(agent.orders, ['/v1/extensions/debug {"extension":"debug-tools","seconds":60}']);
  await using confused = await TestAgent.start(node, RELEASE, { garbage: "{}" });
  using second = new AgentClient(confused.url);
  await assert.rejects(second.extensionsStatus(), { code: "malformed" });
});

test("nothing is said to a peer with another TLS key than the one in the evidence", async () => {
  await using agent = await TestAgent.start(node, RELEASE, { status: STATUS, operators });
  using client = new AgentClient(agent.url, {
    operatorPem: pem,
    peer: { ...agent.peer, tlsPublicKey: Buffer.from("another") },
  });
  await assert.rejects(client.order("reboot"), { code: "untrusted", message: /TLS key of the node's evidence/u });
  await assert.rejects(client.updateStatus(), { code: "untrusted" });
  assert.deepEqual(agent.asked, []);
});

test("an older release does not know about updates, and a server that fails is no answer", async () => {
  await using agent = await TestAgent.start(node, RELEASE);
  using client = new AgentClient(agent.url, { operatorPem: pem, peer: agent.peer });
  await assert.rejects(client.updateStatus(), { code: "not-found" });
  await assert.rejects(client.order("update"), {
    code: "not-found",
    message: /knows signed orders \(ashlar\.order\/v1\)/u,
  });
  await assert.rejects(client.nextBoot(Buffer.alloc(32)), { code: "not-found" });
  await assert.rejects(client.extensionsStatus(), { code: "not-found" });
  // It cannot read this nonce, and says so with status 500.
  await assert.rejects(client.nextBoot(Buffer.alloc(1)), { code: "unavailable", message: /status 500/u });
  await using confused = await TestAgent.start(node, RELEASE, { garbage: "{}" });
  using second = new AgentClient(confused.url);
  await assert.rejects(second.updateStatus(), { code: "malformed" });
});

test("what is no operator's key is refused before anybody is asked", () => {
  const other = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  for (const text of ["", "x", other]) {
    const make = (): AgentClient => new AgentClient("https://127.0.0.1:1", { operatorPem: text });
    assert.throws(make, { code: "malformed" }, text.slice(0, 20));
  }
});

test("a node that says that it still works is waited for; a silent one is not", async () => {
  await using slow = await TestAgent.start(node, RELEASE, { status: STATUS, stillWorking: { times: 8, everyMs: 100 } });
  using patient = new AgentClient(slow.url, { silenceMs: 500 });
  assert.deepEqual(await patient.updateStatus(), STATUS);
  await using silent = await TestAgent.start(node, RELEASE, {
    status: STATUS,
    stillWorking: { times: 1, everyMs: 800 },
  });
  using waiting = new AgentClient(silent.url, { silenceMs: 200 });
  await assert.rejects(waiting.updateStatus(), { code: "unavailable", message: /found none within 0\.2 s/u });
});
