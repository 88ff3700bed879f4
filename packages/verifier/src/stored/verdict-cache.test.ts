import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { deserialize, serialize } from "node:v8";
import { expectationsOf, parseEkRoots } from "@ashlar/identity";
import { authorityExtensions, KeyedMachine, testCertificate } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { proveStored, type ProveStoredOptions } from "../prove-stored.ts";
import { EvidenceArchive } from "./archive.ts";
import { keepEvidence } from "./keep-evidence.ts";

const root = mkdtempSync(join(tmpdir(), "ashlar-verdicts-"));
after(() => rmSync(root, { recursive: true, force: true }));

const issuer = testCertificate({ commonName: "Maker", key: "rsa", extensions: authorityExtensions() });
const another = testCertificate({ commonName: "Somebody", key: "rsa", extensions: authorityExtensions() });
const RELEASE = testRelease("1.0.0");
const OTHER = testRelease("1.1.0");
const CONFIG = Buffer.from("{}");
const NAMES = ["node-1", "node-2"];
const ASKED_MS = Date.now();
const ARCHIVE = join(root, "evidence.tar");
const PINS = new Map<string, KeyedMachine["pin"] & { enrolledAt: string; resetCount: number }>();
{
  await using keeper = await keepEvidence(ARCHIVE, {
    nodes: NAMES,
    manifest: JSON.stringify(RELEASE),
    ekRoots: issuer.pem,
    known: [RELEASE],
    extensions: [],
  });
  for (const [index, name] of NAMES.entries()) {
    const expectations = expectationsOf({ release: RELEASE, classConfig: CONFIG, nodeConfig: CONFIG });
    const machine = new KeyedMachine(issuer);
    machine.boot(testLogs(RELEASE, expectations.classConfigSha256, expectations.nodeConfigSha256));
    const challenge = { nonce: Buffer.alloc(32, index + 1), tlsPublicKey: Buffer.alloc(91, index) };
    const pin = { ...machine.pin, enrolledAt: new Date().toISOString(), resetCount: 0 };
    PINS.set(name, pin);
    await keeper.keep(name, {
      evidence: machine.evidence(RELEASE, challenge),
      ...challenge,
      challengedAtMs: ASKED_MS,
      pin,
      expected: { ...expectations, releases: [RELEASE.uki.sha256] },
      nextBoot: { answer: machine.nextBoot(testNextBootReport([[RELEASE, "ashlar_1.0.0.efi"]]), challenge) },
    });
  }
  await keeper.finish();
}
const SOUND = readFileSync(ARCHIVE);

const OPTIONS: ProveStoredOptions = {
  ekRoots: parseEkRoots(issuer.pem),
  release: RELEASE,
  candidates: [OTHER],
  extensions: [],
  maxAgeMs: 600_000,
  nowMs: ASKED_MS + 1000,
  threads: 1,
};

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(root, "cache-"));
  writeFileSync(ARCHIVE, SOUND);
});

/** Verdicts with what is remembered, which have to be those without it; and how many files of verdicts there are then. */
async function judge(change: Partial<ProveStoredOptions> = {}, program = "one"): Promise<readonly string[]> {
  using archive = EvidenceArchive.open(ARCHIVE);
  const options = { ...OPTIONS, ...change };
  const fresh = await proveStored(archive, NAMES, options);
  const found = await proveStored(archive, NAMES, { ...options, remember: { directory, program } });
  assert.deepEqual(found, fresh);
  return found.fleet.nodes.map(({ level }) => level);
}

function verdictFiles(): readonly string[] {
  return readdirSync(directory).filter((name) => name.endsWith(".verdicts"));
}

/** A verdict that nobody has found: whoever reads it back has not judged. */
function forge(): void {
  for (const name of verdictFiles()) {
    const path = join(directory, name);
    const text = readFileSync(path).toString("latin1");
    assert.ok(text.includes("proven"));
    writeFileSync(path, Buffer.from(text.replaceAll("proven", "PROVEN"), "latin1"));
  }
}

test("what was judged is not judged again, and gives the same", async () => {
  assert.deepEqual(await judge(), ["proven", "proven"]);
  const [file = ""] = verdictFiles();
  const before = readFileSync(join(directory, file));
  assert.deepEqual(await judge(), ["proven", "proven"]);
  assert.deepEqual(await judge({ nowMs: ASKED_MS + 5000 }), ["proven", "proven"]);
  assert.deepEqual(readFileSync(join(directory, file)), before, "nothing new was found");
  // It was read: a verdict under these digests that nobody has found is what comes back.
  const known: Map<string, { verdict: { level: string } }> = deserialize(before.subarray(32));
  for (const node of known.values()) node.verdict.level = "reported";
  const content = serialize(known);
  writeFileSync(join(directory, file), Buffer.concat([createHash("sha256").update(content).digest(), content]));
  using archive = EvidenceArchive.open(ARCHIVE);
  const { fleet } = await proveStored(archive, NAMES, { ...OPTIONS, remember: { directory, program: "one" } });
  assert.deepEqual(
    fleet.nodes.map(({ level }) => level),
    ["reported", "reported"],
  );
});

test("everything that a verdict depends on is part of what it is remembered by", async () => {
  const [pin1, pin2] = [PINS.get("node-1"), PINS.get("node-2")];
  assert.ok(pin1 !== undefined && pin2 !== undefined);
  const changes: readonly (readonly [string, Partial<ProveStoredOptions>, readonly string[]])[] = [
    ["trusted makers", { ekRoots: parseEkRoots(another.pem) }, ["mismatch", "mismatch"]],
    ["no makers", { ekRoots: undefined }, ["reported", "reported"]],
    ["expired makers", { ekRoots: parseEkRoots(issuer.pem, { acceptExpired: true }) }, ["proven", "proven"]],
    ["clouds", { cloudRoots: parseEkRoots(another.pem) }, ["proven", "proven"]],
    ["another release", { releaseInstead: OTHER }, ["mismatch", "mismatch"]],
    ["another class", { classInstead: { sha256: "a".repeat(64), extensions: [] } }, ["mismatch", "mismatch"]],
    ["no candidates", { candidates: [] }, ["proven", "proven"]],
    ["known extensions", { extensions: [KNOWN_EXTENSION] }, ["proven", "proven"]],
    ["another age", { maxAgeMs: 500_000 }, ["proven", "proven"]],
    ["pins", { pins: PINS }, ["proven", "proven"]],
    [
      "pins of each other",
      {
        pins: new Map([
          ["node-1", pin2],
          ["node-2", pin1],
        ]),
      },
      ["mismatch", "mismatch"],
    ],
    ["a pin less", { pins: new Map([["node-1", pin1]]) }, ["proven", "unknown"]],
    ["known firmware", { knownFirmware: [{ name: "x", firmware: pin1.firmware }] }, ["proven", "proven"]],
    ["vouched EKs", { vouchedEks: { by: "x", names: new Map([["a", "b"]]) } }, ["proven", "proven"]],
    ["what is told", { tell: { firmware: true } }, ["proven", "proven"]],
  ];
  assert.deepEqual(await judge(), ["proven", "proven"]);
  const places = new Set(verdictFiles());
  for (const [what, change, levels] of changes) {
    assert.deepEqual(await judge(change), levels, what);
    const now = verdictFiles();
    assert.ok(
      now.some((name) => !places.has(name)),
      `${what}: remembered by itself`,
    );
    for (const name of now) places.add(name);
  }
  const before = verdictFiles().length;
  await judge({}, "another program");
  assert.ok(verdictFiles().length <= before + 1 && verdictFiles().length <= 8, "only the newest are kept");
});

const KNOWN_EXTENSION = {
  kind: "sysext",
  name: "tools",
  version: "1",
  tier: "community",
  rootHash: "a".repeat(64),
} as const;

test("a byte that differs, in a node's entries or in what nodes share, is judged", async () => {
  assert.deepEqual(await judge(), ["proven", "proven"]);
  using archive = EvidenceArchive.open(ARCHIVE);
  const [first] = archive.index.nodes.values();
  const [shared] = archive.index.shared.values();
  assert.ok(first !== undefined && shared !== undefined);
  const quote = SOUND.indexOf("quote.sig", first.startBytes);
  for (const offset of [quote + 550, shared.startBytes + shared.sizeBytes - 1]) {
    const changed = Buffer.from(SOUND);
    changed[offset] = (changed[offset] ?? 0) ^ 1;
    writeFileSync(ARCHIVE, changed);
    const levels = await judge();
    assert.equal(levels[0], "mismatch");
    if (offset > first.startBytes) assert.equal(levels[1], "proven");
  }
});

test("age is found by the time at which somebody asks", async () => {
  assert.deepEqual(await judge(), ["proven", "proven"]);
  assert.deepEqual(await judge({ nowMs: ASKED_MS + 600_001 }), ["unknown", "unknown"]);
  assert.deepEqual(await judge({ nowMs: ASKED_MS - 600_001 }), ["unknown", "unknown"]);
  // What was too old when it was judged is not remembered as such.
  assert.deepEqual(await judge(), ["proven", "proven"]);
});

test("what others may have written, or what is damaged, is not read", async () => {
  const spoil: Readonly<Record<string, (path: string) => void>> = {
    "others may write": (path) => chmodSync(path, 0o666),
    "another's": (path) => chownSync(path, 65_534, 65_534),
    "a directory that others may write": () => chmodSync(directory, 0o777),
    "another's directory": () => chownSync(directory, 65_534, 65_534),
    damaged: () => forge(),
    cut: (path) => writeFileSync(path, readFileSync(path).subarray(0, 1000)),
    empty: (path) => writeFileSync(path, ""),
    "a directory": (path) => {
      rmSync(path);
      mkdirSync(path);
    },
  };
  for (const [what, change] of Object.entries(spoil)) {
    if (what.includes("another's") && process.geteuid?.() !== 0) continue;
    directory = mkdtempSync(join(root, "cache-"));
    await judge();
    const [file = ""] = verdictFiles();
    if (what !== "damaged" && what !== "cut" && what !== "empty" && what !== "a directory")
      forgeWhole(join(directory, file));
    change(join(directory, file));
    assert.deepEqual(await judge(), ["proven", "proven"], what);
  }
});

/** With the right digest in front: only who owns it tells. */
function forgeWhole(path: string): void {
  const bytes = readFileSync(path);
  const content = Buffer.from(bytes.subarray(32).toString("latin1").replaceAll("proven", "PROVEN"), "latin1");
  writeFileSync(path, Buffer.concat([createHash("sha256").update(content).digest(), content]));
}
