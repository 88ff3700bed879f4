import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { testLogs } from "@ashlar/protocol/test-fixtures";
import { readPins } from "./pin-store.ts";
import { proveNodes, type ProveNodesOptions } from "./prove-nodes.ts";
import { keepIn } from "./stored/keep-evidence.ts";
import { proveStored, type ProveStoredOptions } from "./prove-stored.ts";
import { TestAgent } from "./test-agent.ts";
import { EXPECTATIONS, LOGS, NEXT, NEXT_BOOT, RELEASE, target } from "./test-declared.ts";
import { directory, JUDGING, newVerifier, node, otherNode } from "./test-machines.ts";

const STORED: ProveStoredOptions = { ...JUDGING, release: RELEASE, extensions: [] };
let options: ProveNodesOptions;
beforeEach(() => {
  options = newVerifier();
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
    const during = await proveNodes([turn], { ...options, evidence: keepIn(evidenceDirectory) });
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
