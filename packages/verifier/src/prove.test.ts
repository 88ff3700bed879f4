import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { expectationsOf, parseEkRoots, knownExtensionOf } from "@ashlar/identity";
import { mergedWord, testExtension, testLogs, withExtensionWords } from "@ashlar/protocol/test-fixtures";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { readPins } from "./pin-store.ts";
import { proveNodes, type ProveNodesOptions } from "./prove-nodes.ts";
import { proveStored, type ProveStoredOptions } from "./prove-stored.ts";
import { readStoredAnswer } from "./stored/read-answer.ts";
import { readStoredFleet } from "./stored/read-fleet.ts";
import { writeStoredAnswer } from "./stored/write-answer.ts";
import { writeStoredFleet } from "./stored/write-fleet.ts";
import { TestAgent } from "./test-agent.ts";
import { EXPECTATIONS, LOGS, NEXT, NEXT_BOOT, RELEASE, target } from "./test-declared.ts";

const authority = new TestAuthority();
const node = new TestNode(authority);
const otherNode = new TestNode(authority);

const directory = mkdtempSync(join(tmpdir(), "ashlar-prove-"));
after(() => rmSync(directory, { recursive: true, force: true }));

for (const each of [node, otherNode]) each.boot(LOGS);

const JUDGING = { ekRoots: parseEkRoots(authority.roots), candidates: [], maxAgeMs: 60_000 };
const STORED: ProveStoredOptions = { ...JUDGING, release: RELEASE, extensions: [] };
let options: ProveNodesOptions;
let run = 0;
beforeEach(() => {
  run += 1;
  options = { ...JUDGING, pinsPath: join(directory, `state-${run}`, "pins.json") };
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

test("a silent node is unknown and says why; one that talks nonsense is a mismatch", async () => {
  const silent = { ...target("silent", "https://127.0.0.1:1"), explainSilence: async () => "its console says: panic" };
  const first = (await proveNodes([silent], options)).fleet;
  assert.equal(first.verdict, "unknown");
  assert.match(first.nodes[0]?.differences[0]?.found ?? "", /ECONNREFUSED; its console says: panic$/u);
  for (const garbage of ["<html>", "{}", `"${"x".repeat(4 * 1024 * 1024)}"`]) {
    await using agent = await TestAgent.start(node, RELEASE, { garbage });
    const { fleet } = await proveNodes([target("worker", agent.url)], options);
    assert.equal(fleet.nodes[0]?.level, "mismatch", garbage.slice(0, 10));
  }
  await assert.rejects(proveNodes([target("x", "http://127.0.0.1/")], options), { code: "usage" });
});

test("a node that puts everybody off is asked five more times, and is unknown then", async () => {
  await using agent = await TestAgent.start(node, RELEASE, { isBusy: true });
  const { fleet } = await proveNodes([target("worker", agent.url)], options);
  assert.equal(fleet.nodes[0]?.level, "unknown");
  assert.deepEqual(agent.asked, Array<string>(6).fill("/v1/keys"));
});

test("32 nodes are asked at once", async () => {
  const sockets = new Set<Socket>();
  let most = 0;
  // They take connections, and say nothing.
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
    most = Math.max(most, sockets.size);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = new AbortController();
  const targets = Array.from({ length: 40 }, (_, index) => target(`n${index}`, `https://127.0.0.1:${port}`));
  const proof = proveNodes(targets, { ...options, signal: stop.signal });
  while (sockets.size < 32) await sleep(10);
  await sleep(200);
  stop.abort();
  await assert.rejects(proof, { code: "interrupted" });
  server.close();
  assert.equal(most, 32);
});

/** A certificate of this maker's form whose key is marked as Node.js cannot read it: id-RSAES-OAEP (RFC 4055, 4.1). */
function withUnreadableKey(certificate: Uint8Array): Buffer {
  const bytes = Buffer.from(certificate);
  const rsaEncryption = Buffer.from("06092a864886f70d010101", "hex");
  bytes[bytes.indexOf(rsaEncryption) + rsaEncryption.length - 1] = 7;
  return bytes;
}

test("whatever one node's certificate is, the others keep their verdicts", async () => {
  await using honest = await TestAgent.start(node, RELEASE);
  const certificates = [
    withUnreadableKey(otherNode.keys.ekCertificate),
    otherNode.keys.ekCertificate.subarray(0, 100),
    Buffer.from("3000", "hex"),
    Buffer.from("no certificate"),
  ];
  for (const ekCertificate of certificates) {
    for (const ekRoots of [options.ekRoots, undefined]) {
      const keys = { ...otherNode.keys, ekCertificate };
      await using bad = await TestAgent.start(otherNode, RELEASE, { keys });
      const pinsPath = join(directory, "one-bad", `${certificates.indexOf(ekCertificate)}-${ekRoots === undefined}`);
      const both = [target("bad", bad.url), target("honest", honest.url)];
      const { fleet } = await proveNodes(both, { ...options, ekRoots, pinsPath });
      const [first, second] = fleet.nodes;
      assert.equal(first?.level, "mismatch");
      assert.ok((first.differences[0]?.found ?? "") !== "");
      assert.equal(second?.level, ekRoots === undefined ? "reported" : "proven");
      assert.deepEqual([...(await readPins(pinsPath)).keys()], ["honest"]);
    }
  }
});

test("a TPM without a certificate is pinned by its EK and reported with the sentence why", async () => {
  const { ekCertificate: _none, ...keys } = node.keys;
  await using agent = await TestAgent.start(node, RELEASE, { keys });
  const evidenceDirectory = join(directory, "uncertified");
  for (const ekRoots of [options.ekRoots, undefined]) {
    const [found] = (await proveNodes([target("worker", agent.url)], { ...options, ekRoots, evidenceDirectory })).fleet
      .nodes;
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

test("a fault of ours over one node's answer is that node's verdict; the user's own stop is not", async () => {
  await using honest = await TestAgent.start(node, RELEASE);
  await using other = await TestAgent.start(otherNode, RELEASE);
  const faulty = { ...target("faulty", other.url), expectations: { ...EXPECTATIONS } };
  // What a parser does that reads a member of nothing, as the certificate without a subject once made one do.
  Object.defineProperty(faulty.expectations, "extensions", {
    get: () => {
      throw new TypeError("cannot read it");
    },
  });
  const { fleet } = await proveNodes([faulty, target("honest", honest.url)], options);
  assert.deepEqual(
    fleet.nodes.map(({ level }) => level),
    ["mismatch", "proven"],
  );
  assert.match(fleet.nodes[0]?.differences[0]?.found ?? "", /please report it.*cannot read it$/u);
  const signal = AbortSignal.abort();
  await assert.rejects(proveNodes([target("honest", honest.url)], { ...options, signal }), { code: "interrupted" });
  const silent = {
    ...target("silent", "https://127.0.0.1:1"),
    explainSilence: async () => Promise.reject(Error("disk")),
  };
  const [found] = (await proveNodes([silent], options)).fleet.nodes;
  assert.equal(found?.level, "unknown");
  assert.match(found.differences[0]?.found ?? "", /not known either: disk$/u);
});

test("the next boot is proven beside what runs", async () => {
  await using agent = await TestAgent.start(node, RELEASE, { nextBoot: NEXT_BOOT });
  const known = { ...options, candidates: [NEXT] };
  const lines: string[] = [];
  const onProgress = (line: string): unknown => lines.push(line);
  const targets = [target("worker", agent.url), target("silent", "https://127.0.0.1:1")];
  const [found] = (await proveNodes(targets, { ...known, onProgress })).fleet.nodes;
  assert.deepEqual(lines.toSorted(), [
    "silent: unknown",
    "worker: running 1.0.0 proven, next boot 1.1.0 proven, fallback 1.0.0 intact",
  ]);
  assert.deepEqual([found?.level, found?.release], ["proven", "1.0.0"]);
  const fallback = { release: "1.0.0", state: "intact" };
  assert.deepEqual(found?.nextBoot, { release: "1.1.0", level: "proven", differences: [], fallback, notes: [] });
  // Not known: what a node would run next is no release that anybody has declared.
  const [stranger] = (await proveNodes([target("worker", agent.url)], options)).fleet.nodes;
  assert.deepEqual([stranger?.level, stranger?.release, stranger?.nextBoot?.release], ["proven", "1.0.0", null]);
  assert.deepEqual(stranger?.differences, []);
  assert.match(stranger.nextBoot?.differences[0]?.what ?? "", /^boot entry EFI\/Linux\/ashlar_1.1.0\+3-0.efi$/u);
});

test("silence about the next boot leaves that unknown, nonsense is a mismatch of it; what runs stays proven", async () => {
  await using old = await TestAgent.start(node, RELEASE);
  const first = (await proveNodes([target("worker", old.url)], options)).fleet;
  const [silent] = first.nodes;
  assert.equal(first.verdict, "unknown", "a node cannot make itself right by saying nothing");
  assert.deepEqual([silent?.level, silent?.nextBoot?.level, silent?.differences], ["proven", "unknown", []]);
  assert.match(silent?.nextBoot?.differences[0]?.found ?? "", /does not know the question$/u);
  await using confused = await TestAgent.start(node, RELEASE, { garbage: "{}", garbageAt: "/v1/next-boot" });
  const second = (await proveNodes([target("worker", confused.url)], options)).fleet;
  const [wrong] = second.nodes;
  assert.equal(second.verdict, "mismatch");
  assert.deepEqual([wrong?.level, wrong?.nextBoot?.level], ["proven", "mismatch"]);
  assert.match(wrong?.nextBoot?.differences[0]?.what ?? "", /^answer about the next boot$/u);
});

test("while it is a node's turn, both releases are right for it", async () => {
  await using agent = await TestAgent.start(node, NEXT);
  try {
    node.boot(testLogs(NEXT, EXPECTATIONS.classConfigSha256, EXPECTATIONS.nodeConfigSha256));
    const turn = { ...target("worker", agent.url), expectations: { ...EXPECTATIONS, alsoAllowed: [NEXT] } };
    const evidenceDirectory = join(directory, "turn");
    const during = await proveNodes([turn], { ...options, evidenceDirectory });
    assert.deepEqual([during.fleet.nodes[0]?.level, during.fleet.nodes[0]?.release], ["proven", "1.1.0"]);
    const kept = await proveStored(evidenceDirectory, ["worker"], { ...STORED, candidates: [NEXT] });
    assert.deepEqual(kept.fleet, during.fleet);
    const replaced = { ...STORED, candidates: [NEXT], releaseInstead: RELEASE };
    assert.equal((await proveStored(evidenceDirectory, ["worker"], replaced)).fleet.verdict, "mismatch");
    const unknown = await proveStored(evidenceDirectory, ["worker"], STORED);
    assert.match(unknown.fleet.nodes[0]?.differences[0]?.found ?? "", /^expected the release with UKI/u);
    const before = await proveNodes([target("worker", agent.url)], { ...options, candidates: [NEXT] });
    assert.equal(before.fleet.verdict, "mismatch");
  } finally {
    node.boot(LOGS);
  }
});

test("kept evidence can be judged again, by us and by tpm2-tools", async () => {
  const evidenceDirectory = join(directory, "evidence");
  await using agent = await TestAgent.start(node, RELEASE, { nextBoot: NEXT_BOOT });
  await using other = await TestAgent.start(otherNode, RELEASE);
  const targets = [target("a", agent.url), target("b", other.url), target("c", "https://127.0.0.1:1")];
  const candidates = [NEXT];
  const names = targets.map(({ name }) => name);
  const shared = { manifest: "{}", ekRoots: authority.roots, known: [NEXT], extensions: [] };
  await writeStoredFleet(evidenceDirectory, { nodes: names, ...shared });
  const live = await proveNodes(targets, { ...options, candidates, evidenceDirectory });
  const stored = await readStoredFleet(evidenceDirectory);
  assert.deepEqual(stored, { nodes: names, ...shared, strangers: [] });
  const { fleet, agesMs } = await proveStored(evidenceDirectory, stored.nodes, { ...STORED, candidates });
  assert.deepEqual(fleet.nodes.slice(0, 2), live.fleet.nodes.slice(0, 2));
  assert.deepEqual(
    fleet.nodes.map(({ level }) => level),
    ["proven", "proven", "unknown"],
  );
  assert.deepEqual([...agesMs.keys()], ["a", "b"]);

  const cwd = join(evidenceDirectory, "a");
  const qualification = readFileSync(join(cwd, "qualifying-data")).toString("hex");
  const quote = ["-u", "ak.pub", "-m", "quote.msg", "-s", "quote.sig", "-g", "sha256", "-q", qualification];
  execFileSync("tpm2_checkquote", quote, { cwd, stdio: "ignore" });
  const next = readFileSync(join(cwd, "next-boot-qualifying-data")).toString("hex");
  const files = ["-m", "next-boot-quote.msg", "-s", "next-boot-quote.sig"];
  const checkNext = ["-u", "ak.pub", ...files, "-g", "sha256", "-q", next];
  execFileSync("tpm2_checkquote", checkNext, { cwd, stdio: "ignore" });
  execFileSync("tpm2_eventlog", ["firmware-log.bin"], { cwd, stdio: "ignore" });

  const stale = await proveStored(evidenceDirectory, ["a"], { ...STORED, maxAgeMs: -1 });
  assert.equal(stale.fleet.nodes[0]?.differences[0]?.what, "age of the evidence");
  const unpinned = await proveStored(evidenceDirectory, ["a"], { ...STORED, pins: new Map() });
  assert.equal(unpinned.fleet.verdict, "unknown");
  const classInstead = { sha256: "0".repeat(64), extensions: [] };
  const redeclared = await proveStored(evidenceDirectory, ["a"], { ...STORED, classInstead });
  assert.equal(redeclared.fleet.nodes[0]?.differences[0]?.what, "PCR 13, class config");

  const report = readFileSync(join(cwd, "next-boot.json"), "utf8");
  writeFileSync(join(cwd, "next-boot.json"), `${report} `);
  const edited = await proveStored(evidenceDirectory, ["a"], { ...STORED, candidates });
  assert.equal(edited.fleet.nodes[0]?.nextBoot?.differences[0]?.what, "quote's qualifying data");
  // What speaks against a node cannot be taken out.
  for (const file of readdirSync(cwd)) if (file.startsWith("next-boot")) rmSync(join(cwd, file));
  const without = await proveStored(evidenceDirectory, ["a"], STORED);
  assert.deepEqual([without.fleet.verdict, without.fleet.nodes[0]?.nextBoot?.level], ["mismatch", "mismatch"]);
  assert.match(without.fleet.nodes[0]?.nextBoot?.differences[0]?.found ?? "", /neither its files nor a reason/u);
  const noNextBoot = { level: "unknown", found: "not asked" } as const;
  const kept = await readStoredAnswer(evidenceDirectory, "a");
  assert.ok(kept !== undefined);
  await writeStoredAnswer(evidenceDirectory, "a", { ...kept.answer, nextBoot: noNextBoot });
  const open = (await proveStored(evidenceDirectory, ["a"], STORED)).fleet;
  assert.deepEqual(
    [open.verdict, open.nodes[0]?.level, open.nodes[0]?.nextBoot?.level],
    ["unknown", "proven", "unknown"],
  );

  // b's files under a's name, file by file.
  for (const file of ["quote.msg", "quote.sig", "ak.pub", "answer.json"]) {
    const original = readFileSync(join(cwd, file));
    writeFileSync(join(cwd, file), readFileSync(join(evidenceDirectory, "b", file)));
    assert.equal((await proveStored(evidenceDirectory, ["a"], STORED)).fleet.verdict, "mismatch", file);
    writeFileSync(join(cwd, file), original);
  }
  for (const text of ["", "{}", "[]", '{"schema":"ashlar.stored-evidence/v2"}']) {
    writeFileSync(join(cwd, "answer.json"), text);
    const { verdict, nodes } = (await proveStored(evidenceDirectory, ["a"], STORED)).fleet;
    assert.equal(verdict, "mismatch", text);
    if (text.includes("v2")) assert.match(nodes[0]?.differences[0]?.found ?? "", /stored-evidence\/v3: older quotes/u);
  }
});

test("extensions: live and stored evidence agree, also when a debug session has ended since", async () => {
  const evidenceDirectory = join(directory, "extensions");
  const [kubernetes, tools] = [testExtension("kubernetes", "v1.33.2"), testExtension("debug-tools", "1.0")];
  const text = "extensions: [{name: kubernetes, version: v1.33.*, tier: community}]";
  const files = [{ path: "/etc/ashlar/extensions.yaml", contents: { source: `data:,${encodeURIComponent(text)}` } }];
  const known = [kubernetes, tools].map(knownExtensionOf);
  const exceptions = [{ name: "debug-tools", rootHash: null, until: new Date(Date.now() + 60_000).toISOString() }];
  const expectations = expectationsOf({
    release: RELEASE,
    classConfig: Buffer.from(JSON.stringify({ storage: { files } })),
    nodeConfig: new Uint8Array(),
    extensions: { known, exceptions, alsoAllowed: [] },
  });
  const { classConfigSha256, nodeConfigSha256 } = expectations;
  const words = [kubernetes, tools].map(mergedWord);
  node.boot(withExtensionWords(testLogs(RELEASE, classConfigSha256, nodeConfigSha256), words));
  try {
    await using agent = await TestAgent.start(node, RELEASE);
    const targets = [{ name: "worker", url: agent.url, expectations }];
    const shared = { nodes: ["worker"], manifest: "{}", ekRoots: undefined, known: [], extensions: known };
    await writeStoredFleet(evidenceDirectory, shared);
    const live = await proveNodes(targets, { ...options, evidenceDirectory });
    const shown = live.fleet.nodes[0]?.extensions.map(({ name, version, note }) => [name, version, note]);
    assert.deepEqual(shown, [
      ["debug-tools", "1.0", "debug session"],
      ["kubernetes", "v1.33.2", null],
    ]);
    const { extensions } = await readStoredFleet(evidenceDirectory);
    assert.deepEqual(extensions, known);
    const stored = await proveStored(evidenceDirectory, ["worker"], { ...STORED, extensions });
    assert.deepEqual(stored.fleet, live.fleet);
    assert.equal(stored.fleet.nodes[0]?.level, "proven");

    const withdrawn = known.map((each) => Object.assign({}, each, { withdrawn: { reason: "a hole" } }));
    const later = await proveStored(evidenceDirectory, ["worker"], { ...STORED, extensions: withdrawn });
    assert.match(later.fleet.nodes[0]?.differences[0]?.found ?? "", /withdrawn: a hole$/u);
    const classInstead = { sha256: classConfigSha256, extensions: [] };
    const undeclared = await proveStored(evidenceDirectory, ["worker"], { ...STORED, extensions, classInstead });
    assert.match(undeclared.fleet.nodes[0]?.differences[0]?.expected ?? "", /not declared$/u);
    const blind = await proveStored(evidenceDirectory, ["worker"], STORED);
    assert.equal(blind.fleet.verdict, "unknown");
  } finally {
    node.boot(LOGS);
  }
});

test("a directory of evidence cannot name files elsewhere", async () => {
  const evidenceDirectory = join(directory, "hostile");
  const fleet = { manifest: "{}", ekRoots: undefined, known: [], extensions: [] };
  for (const name of ["../a", ".", "..", "a/b", "", "fleet.json", "extensions.json", "releases", "x".repeat(200)]) {
    await assert.rejects(writeStoredFleet(evidenceDirectory, { ...fleet, nodes: [name] }), { code: "usage" }, name);
  }
  await writeStoredFleet(evidenceDirectory, { ...fleet, nodes: ["worker-1.example.org:7443", "::1"] });
  assert.equal((await readStoredFleet(evidenceDirectory)).nodes.length, 2);
  const hostile = JSON.stringify({ schema: "ashlar.evidence-directory/v1", nodes: ["../a"] });
  writeFileSync(join(evidenceDirectory, "fleet.json"), hostile);
  await assert.rejects(readStoredFleet(evidenceDirectory), { code: "malformed" });
  await assert.rejects(readStoredFleet(join(directory, "nowhere")), { code: "not-found" });
});
