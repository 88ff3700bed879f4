import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { expectationsOf, parseFleetVerdict } from "@ashlar/identity";
import {
  mergedWord,
  testExtension,
  testLogs,
  testNextBootReport,
  testRelease,
  withExtensionWords,
} from "@ashlar/protocol/test-fixtures";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { writeStoredAnswer, writeStoredFleet } from "@ashlar/verifier";

const directory = mkdtempSync(join(tmpdir(), "ashlar-prove-"));
after(() => rmSync(directory, { recursive: true }));

const authority = new TestAuthority();
const node = new TestNode(authority);
const release = testRelease("1.0.0");
const next = testRelease("1.1.0");
const declared = expectationsOf({ release, classConfig: Buffer.from("{}"), nodeConfig: Buffer.from("{}") });
node.boot(testLogs(release, declared.classConfigSha256, declared.nodeConfigSha256));
const challenge = { nonce: Buffer.alloc(32, 1), tlsPublicKey: Buffer.alloc(91, 2) };
await writeStoredFleet(directory, {
  nodes: ["worker"],
  manifest: JSON.stringify(release),
  ekRoots: authority.roots,
  known: [next],
  extensions: [],
});
const report = testNextBootReport([
  [release, "ashlar_1.0.0.efi"],
  [next, "ashlar_1.1.0+3-0.efi"],
]);
const stored = {
  evidence: node.evidence(release, challenge),
  ...challenge,
  challengedAtMs: Date.now(),
  pin: { ...node.pin, enrolledAt: new Date().toISOString(), resetCount: 0 },
  expected: { ...declared, releases: [release.uki.sha256] },
  nextBoot: { level: "unknown", found: "no answer in time" } as const,
};
const staged = { ...stored, nextBoot: { answer: node.nextBoot(report, challenge) } };
await writeStoredAnswer(directory, "worker", staged);

function prove(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(import.meta.dirname, "../main.ts");
  return spawnSync(process.execPath, [main, "prove", ...args], { encoding: "utf8" });
}

test("a table, one verdict line, exit 0", () => {
  const { status, stdout, stderr } = prove("--from", directory);
  assert.equal(status, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^NODE +LEVEL +RELEASE +NEXT BOOT +FALLBACK +IDENTITY +AGE +FIRST DIFFERENCE$/u);
  assert.match(lines[1] ?? "", /^worker +proven +1\.0\.0 +1\.1\.0 proven +1\.0\.0 intact +[0-9a-f]{12} +[0-9]+ s +-$/u);
  assert.equal(lines[2], "1 node, 1 identity: all proven");
});

test("JSON has the documented members in their order", () => {
  const { stdout } = prove("--from", directory, "--json");
  const fleet: { nodes: object[] } = JSON.parse(stdout);
  assert.deepEqual(Object.keys(fleet), ["schema", "verdict", "identities", "nodes"]);
  assert.deepEqual(parseFleetVerdict(stdout), fleet);
  const members = "name level release identity config nodeConfig extensions notes nextBoot differences";
  assert.equal(Object.keys(fleet.nodes[0] ?? {}).join(" "), members);
});

test("a mismatch names the difference and ends with 1; old evidence is unknown and ends with 2", () => {
  const config = join(directory, "other.ign");
  writeFileSync(config, '{"ignition":{"version":"3.3.0"}}');
  const mismatch = prove("--from", directory, "--config", config);
  assert.equal(mismatch.status, 1);
  assert.match(mismatch.stdout, /PCR 13, class config: expected sha256 [0-9a-f]{12}\.\.\., found sha256/u);
  assert.match(mismatch.stdout, /\n1 node, 1 identity: all mismatch\n$/u);
  // By now it has some age.
  const stale = prove("--from", directory, "--max-age", "0");
  assert.equal(stale.status, 2);
  assert.match(stale.stdout, /age of the evidence/u);
});

test("a wrong next boot ends with 1 and names what is wrong, an unclear one with 2; what runs stays proven", async () => {
  const evidence = mkdtempSync(join(tmpdir(), "ashlar-next-boot-"));
  try {
    await writeStoredFleet(evidence, {
      nodes: ["worker"],
      manifest: JSON.stringify(release),
      ekRoots: authority.roots,
      known: [next],
      extensions: [],
    });
    const wrong = { ...report, loaderVariables: { LoaderEntryDefault: "evil.efi" } };
    await writeStoredAnswer(evidence, "worker", { ...stored, nextBoot: { answer: node.nextBoot(wrong, challenge) } });
    const mismatch = prove("--from", evidence);
    assert.equal(mismatch.status, 1);
    assert.match(mismatch.stdout, /worker +proven +1\.0\.0 +1\.1\.0 mismatch +1\.0\.0 intact/u);
    assert.match(mismatch.stdout, /next boot, EFI variable LoaderEntryDefault: expected none, found "evil.efi"/u);
    assert.match(mismatch.stdout, /\n1 node, 1 identity: all proven; next boot: 1 mismatch\n$/u);
    const { verdict, nodes } = parseFleetVerdict(prove("--from", evidence, "--json").stdout);
    assert.deepEqual([verdict, nodes[0]?.level, nodes[0]?.differences], ["mismatch", "proven", []]);
    assert.deepEqual(
      nodes[0]?.nextBoot?.differences.map(({ code, subject }) => [code, subject]),
      [["firmware-variable", "LoaderEntryDefault"]],
    );
    await writeStoredAnswer(evidence, "worker", stored);
    const unclear = prove("--from", evidence);
    assert.equal(unclear.status, 2);
    assert.match(unclear.stdout, /proven +1\.0\.0 +unknown +- .* next boot, answer about the next boot: .*no answer/u);
    assert.match(unclear.stdout, /\n1 node, 1 identity: all proven; next boot: 1 unknown\n$/u);
  } finally {
    rmSync(evidence, { recursive: true });
  }
});

test("each extension has a line; their manifests can be given by hand", async () => {
  const evidence = mkdtempSync(join(tmpdir(), "ashlar-extensions-"));
  const [old, newer] = [testExtension("kubernetes", "v1.33.2"), testExtension("kubernetes", "v1.33.5")];
  const tools = testExtension("debug-tools", "1.0");
  try {
    const nodes = { nodes: ["worker"], manifest: JSON.stringify(release), ekRoots: authority.roots, known: [next] };
    const logs = testLogs(release, declared.classConfigSha256, declared.nodeConfigSha256);
    node.boot(withExtensionWords(logs, [old, tools].map(mergedWord)));
    await writeStoredFleet(evidence, { ...nodes, extensions: [] });
    for (const each of [old, newer, tools]) {
      writeFileSync(join(evidence, `${each.name}-${each.version}-x86-64.manifest.json`), JSON.stringify(each));
    }
    const { pattern, source } = { pattern: "v1.33.*", source: { type: "repository" } } as const;
    const extensions = {
      declared: [{ kind: "sysext", name: "kubernetes", pattern, tier: null, source }] as const,
      exceptions: [{ name: "debug-tools", rootHash: null, until: "2100-01-01T00:00:00.000Z" }],
      alsoAllowed: [],
    };
    const expected = { ...stored.expected, extensions };
    const nextBoot = { answer: node.nextBoot(report, challenge) };
    const answer = { ...stored, evidence: node.evidence(release, challenge), expected, nextBoot };
    await writeStoredAnswer(evidence, "worker", answer);
    const unknown = prove("--from", evidence);
    assert.equal(unknown.status, 2);
    assert.match(unknown.stdout, /nothing published is known: give --releases or --extension$/mu);
    const { status, stdout, stderr } = prove("--from", evidence, "--extension", evidence);
    assert.equal(status, 0, stderr + stdout);
    assert.match(
      stdout,
      /^ {2}sysext debug-tools 1\.0 \([0-9a-f]{12}\): debug session until 2100-01-01T00:00:00\.000Z$/mu,
    );
    assert.match(stdout, /^ {2}sysext kubernetes v1\.33\.2 \([0-9a-f]{12}\): v1\.33\.5 is published$/mu);
    assert.equal(prove("--from", evidence, "--extension", join(evidence, "nowhere")).status, 66);
    assert.equal(prove("--from", evidence, "--extension", join(evidence, "fleet.json")).status, 65);
  } finally {
    rmSync(evidence, { recursive: true });
  }
});

test("wrong usage ends with 64 and a hint, a missing directory with 66: a verdict's statuses mean no failure", () => {
  const wrong: readonly (readonly string[])[] = [
    [],
    ["--lab", "a", "--from", directory],
    ["--from", directory, "--max-age", "soon"],
    ["--from", directory, "--enrol-again", "worker"],
    ["--from", directory, "--releases", directory],
    ["--from", directory, "--release-root", directory],
    ["--from", directory, "--certify-ek", directory],
    ["--nodes", "worker"],
    ["--nodes", "https://worker:7443"],
  ];
  for (const args of wrong) {
    const { status, stdout, stderr } = prove(...args);
    assert.equal(status, 64, args.join(" "));
    assert.equal(stdout, "");
    assert.match(stderr, /^error: expected/mu);
    assert.doesNotMatch(stderr, /^ +at /mu);
  }
  assert.equal(prove("--from", join(directory, "nowhere")).status, 66);
  assert.equal(prove("--from", directory, "--image", join(directory, "nowhere")).status, 66);
});
