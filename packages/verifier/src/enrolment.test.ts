import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { parseEkRoots } from "@ashlar/identity";
import { readPins } from "./pin-store.ts";
import { proveNodes, type ProveNodesOptions } from "./prove-nodes.ts";
import { keepIn } from "./stored/keep-evidence.ts";
import { proveStored, type ProveStoredOptions } from "./prove-stored.ts";
import { TestAgent } from "./test-agent.ts";
import { LOGS, RELEASE, target } from "./test-declared.ts";
import { authority, directory, JUDGING, newVerifier, node, otherNode } from "./test-machines.ts";

const STORED: ProveStoredOptions = { ...JUDGING, release: RELEASE, extensions: [] };
let options: ProveNodesOptions;
beforeEach(() => {
  options = newVerifier();
});

test("a node is enrolled once, pinned, and proven again with a fresh nonce", async () => {
  await using agent = await TestAgent.start(node, RELEASE);
  const first = await proveNodes([target("worker", agent.url)], options);
  assert.deepEqual(first.fleet.nodes[0]?.differences, []);
  assert.equal(first.fleet.nodes[0]?.level, "proven");
  assert.ok((first.agesMs.get("worker") ?? Infinity) < 60_000);
  assert.equal(statSync(options.pinsPath).mode & 0o777, 0o600);
  const pins = await readPins(options.pinsPath);
  assert.deepEqual([...pins.keys()], ["worker"]);

  const again = await proveNodes([target("worker", agent.url)], options);
  assert.equal(again.fleet.nodes[0]?.level, "proven");
  const both = ["/v1/evidence", "/v1/next-boot"];
  assert.deepEqual(agent.asked, ["/v1/keys", "/v1/activate", ...both, ...both]);
  assert.deepEqual(again.peers, new Map([["worker", agent.peer]]));
  assert.deepEqual(await readPins(options.pinsPath), pins);
});

test("another TPM behind a pinned name is refused, and the pin stays", async () => {
  await using agent = await TestAgent.start(node, RELEASE);
  await using impostor = await TestAgent.start(otherNode, RELEASE);
  await proveNodes([target("worker", agent.url)], options);
  const pins = await readPins(options.pinsPath);
  const { fleet } = await proveNodes([target("worker", impostor.url)], options);
  assert.equal(fleet.verdict, "mismatch");
  assert.match(fleet.nodes[0]?.differences[0]?.what ?? "", /^TPM/u);
  assert.deepEqual(await readPins(options.pinsPath), pins);
});

test("changed firmware is refused until the node is enrolled again by name", async () => {
  await using agent = await TestAgent.start(node, RELEASE);
  const targets = [target("worker", agent.url), target("silent", "https://127.0.0.1:1")];
  await proveNodes(targets, options);
  const pins = await readPins(options.pinsPath);
  try {
    const [first, ...rest] = LOGS.firmware;
    node.boot({ ...LOGS, firmware: [{ ...first!, digest: "11".repeat(32) }, ...rest] });
    const changed = await proveNodes(targets, options);
    assert.match(changed.fleet.nodes[0]?.differences[0]?.what ?? "", /^PCR 0, firmware changed since enrolment/u);
    const others = await proveNodes(targets, { ...options, enrolAgain: new Set(["silent"]) });
    assert.equal(others.fleet.nodes[0]?.level, "mismatch");
    assert.deepEqual(await readPins(options.pinsPath), pins);

    const again = await proveNodes(targets, { ...options, enrolAgain: new Set(["worker", "silent"]) });
    assert.equal(again.fleet.nodes[0]?.level, "proven");
    const replaced = (await readPins(options.pinsPath)).get("worker");
    assert.deepEqual(replaced?.firmware, node.pin.firmware);
    assert.notDeepEqual(replaced?.firmware, pins.get("worker")?.firmware);
    assert.equal((await proveNodes(targets, options)).fleet.nodes[0]?.level, "proven");
  } finally {
    node.boot(LOGS);
  }
});

test("a node with a driver from its ESP is not enrolled", async () => {
  await using agent = await TestAgent.start(node, RELEASE);
  try {
    const driver = { pcr: 2, type: 0x8000_0004, digest: "22".repeat(32), data: Buffer.alloc(0) };
    node.boot({ ...LOGS, firmware: [...LOGS.firmware, driver] });
    const { fleet } = await proveNodes([target("worker", agent.url)], options);
    assert.equal(fleet.verdict, "mismatch");
    assert.match(fleet.nodes[0]?.differences[0]?.what ?? "", /^PCR 2, a program was loaded after the firmware/u);
    assert.equal((await readPins(options.pinsPath)).size, 0);
  } finally {
    node.boot(LOGS);
  }
});

test("pins from before firmware was pinned are refused, not replaced", async () => {
  await using agent = await TestAgent.start(node, RELEASE);
  await proveNodes([target("worker", agent.url)], options);
  const text = readFileSync(options.pinsPath, "utf8");
  const { pins }: { pins: Record<string, { firmware?: object }> } = JSON.parse(text);
  delete pins["worker"]!.firmware;
  for (const schema of ["ashlar.pins/v1", "ashlar.pins/v2"]) {
    const old = JSON.stringify({ schema, pins });
    writeFileSync(options.pinsPath, old);
    await assert.rejects(proveNodes([target("worker", agent.url)], options), { code: "malformed" });
    assert.equal(readFileSync(options.pinsPath, "utf8"), old);
  }
});

test("an attestation key of one TPM cannot be enrolled under the EK of another", async () => {
  const keys = { ...otherNode.keys, ak: node.keys.ak };
  await using agent = await TestAgent.start(node, RELEASE, { keys });
  const { fleet } = await proveNodes([target("worker", agent.url)], options);
  // The node's TPM cannot decrypt what was made for the other one: its agent has no answer.
  assert.notEqual(fleet.verdict, "proven");
  assert.equal((await readPins(options.pinsPath)).size, 0);
  const mixed = { ...node.keys, ekPublic: otherNode.keys.ekPublic };
  await using second = await TestAgent.start(node, RELEASE, { keys: mixed });
  const found = (await proveNodes([target("worker", second.url)], options)).fleet.nodes[0];
  assert.match(found?.differences[0]?.found ?? "", /expected the EK of the certificate/u);
});

test("a machine that passes on another's quote is found out by its TLS key", async () => {
  await using relay = await TestAgent.start(node, RELEASE, { tlsPublicKey: Buffer.from("the real node's TLS key") });
  const { fleet } = await proveNodes([target("worker", relay.url)], options);
  assert.equal(fleet.verdict, "mismatch");
  assert.equal(fleet.nodes[0]?.differences[0]?.what, "TLS key");
});

test("one TPM behind two names is no two nodes", async () => {
  await using agent = await TestAgent.start(node, RELEASE);
  const { fleet } = await proveNodes([target("a", agent.url), target("b", agent.url)], options);
  assert.deepEqual(
    fleet.nodes.map(({ level }) => level),
    ["mismatch", "mismatch"],
  );
});

test("a TPM without a certificate is pinned by its EK and reported with the sentence why", async () => {
  const { ekCertificate: _none, ...keys } = node.keys;
  await using agent = await TestAgent.start(node, RELEASE, { keys });
  const evidenceDirectory = join(directory, "uncertified");
  for (const ekRoots of [options.ekRoots, undefined]) {
    const [found] = (
      await proveNodes([target("worker", agent.url)], { ...options, ekRoots, evidence: keepIn(evidenceDirectory) })
    ).fleet.nodes;
    assert.deepEqual([found?.level, found?.release], ["reported", "1.0.0"]);
    assert.match(found?.differences[0]?.found ?? "", /^that this TPM has none/u);
  }
  const kept = await proveStored(evidenceDirectory, ["worker"], STORED);
  assert.equal(kept.fleet.nodes[0]?.level, "reported");
  // Neither another machine nor a certificate that comes later takes the name.
  const other = { ...otherNode.keys, ekCertificate: undefined };
  const { ekCertificate: _other, ...othersKeys } = other;
  await using impostor = await TestAgent.start(otherNode, RELEASE, { keys: othersKeys });
  await using certified = await TestAgent.start(node, RELEASE);
  for (const { url } of [impostor, certified]) {
    const [found] = (await proveNodes([target("worker", url)], options)).fleet.nodes;
    assert.equal(found?.level, "mismatch");
  }
});

test("a pinned node that leaves its certificate out is another machine", async () => {
  await using certified = await TestAgent.start(node, RELEASE);
  assert.equal((await proveNodes([target("worker", certified.url)], options)).fleet.nodes[0]?.level, "proven");
  const { ekCertificate: _none, ...keys } = node.keys;
  await using bare = await TestAgent.start(node, RELEASE, { keys });
  const [found] = (await proveNodes([target("worker", bare.url)], options)).fleet.nodes;
  assert.deepEqual([found?.level, found?.differences[0]?.code], ["mismatch", "pin"]);
});

test("intermediates that the TPM has lead to the maker, at enrolment and later", async () => {
  const [root = "", ...between] = authority.roots.match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----/gu) ?? [];
  const ekRoots = parseEkRoots(root);
  const ekIntermediates = between.map((pem) => new X509Certificate(pem).raw);
  assert.equal(ekIntermediates.length, 1);
  await using bare = await TestAgent.start(node, RELEASE);
  const [refused] = (await proveNodes([target("worker", bare.url)], { ...options, ekRoots })).fleet.nodes;
  assert.match(refused?.differences[0]?.found ?? "", /no trusted issuer named/u);
  const withFilling = [Buffer.from("3082000130", "hex"), ...ekIntermediates];
  await using agent = await TestAgent.start(node, RELEASE, { keys: { ...node.keys, ekIntermediates: withFilling } });
  for (const url of [agent.url, bare.url]) {
    const { fleet } = await proveNodes([target("worker", url)], { ...options, ekRoots });
    assert.equal(fleet.nodes[0]?.level, "proven");
  }
});
