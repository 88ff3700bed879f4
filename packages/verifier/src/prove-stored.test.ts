import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { expectationsOf, knownExtensionOf } from "@ashlar/identity";
import { mergedWord, testExtension, testLogs, withExtensionWords } from "@ashlar/protocol/test-fixtures";
import { proveNodes, type ProveNodesOptions } from "./prove-nodes.ts";
import { proveStored, type ProveStoredOptions } from "./prove-stored.ts";
import { readStoredAnswer } from "./stored/read-answer.ts";
import { EvidenceArchive } from "./stored/archive.ts";
import { keepEvidence, keepIn } from "./stored/keep-evidence.ts";
import { readStoredFleet } from "./stored/read-fleet.ts";
import { writeStoredAnswer } from "./stored/write-answer.ts";
import { writeStoredFleet } from "./stored/write-fleet.ts";
import { TestAgent } from "./test-agent.ts";
import { LOGS, NEXT, NEXT_BOOT, RELEASE, target } from "./test-declared.ts";
import { authority, directory, JUDGING, newVerifier, node, otherNode } from "./test-machines.ts";

const STORED: ProveStoredOptions = { ...JUDGING, release: RELEASE, extensions: [] };
let options: ProveNodesOptions;
beforeEach(() => {
  options = newVerifier();
});

test("evidence of live nodes in one archive: the same verdicts, and tpm2-tools check what tar makes of it", async () => {
  await using agent = await TestAgent.start(node, RELEASE, { nextBoot: NEXT_BOOT });
  await using other = await TestAgent.start(otherNode, RELEASE);
  const targets = [target("a", agent.url), target("b", other.url), target("c", "https://127.0.0.1:1")];
  const path = join(directory, "kept", "evidence.tar");
  const shared = { manifest: "{}", ekRoots: authority.roots, known: [NEXT], extensions: [] };
  const candidates = [NEXT];
  let live;
  {
    await using evidence = await keepEvidence(path, { nodes: ["a", "b", "c"], ...shared });
    live = await proveNodes(targets, { ...options, candidates, evidence });
    await evidence.finish();
  }
  using archive = EvidenceArchive.open(path);
  const { nodes, strangers } = await readStoredFleet(archive);
  const { fleet } = await proveStored(archive, nodes, { ...STORED, candidates, strangers });
  assert.deepEqual(fleet.nodes.slice(0, 2), live.fleet.nodes.slice(0, 2));
  assert.deepEqual(
    fleet.nodes.map(({ level }) => level),
    ["proven", "proven", "unknown"],
  );
  execFileSync("tar", ["--extract", "--file", path, "--directory", join(directory, "kept")]);
  const cwd = join(directory, "kept", "b");
  const qualification = readFileSync(join(cwd, "qualifying-data")).toString("hex");
  const quote = ["-u", "ak.pub", "-m", "quote.msg", "-s", "quote.sig", "-g", "sha256", "-q", qualification];
  execFileSync("tpm2_checkquote", quote, { cwd, stdio: "ignore" });
  execFileSync("tpm2_eventlog", ["firmware-log.bin"], { cwd, stdio: "ignore" });
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
  const live = await proveNodes(targets, { ...options, candidates, evidence: keepIn(evidenceDirectory) });
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
  const kept = readStoredAnswer(evidenceDirectory, "a");
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
    const live = await proveNodes(targets, { ...options, evidence: keepIn(evidenceDirectory) });
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
