/** `ashlar certify` and `ashlar certificate`, over the evidence of two TPMs: live by an auditor's challenge, and kept. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { appendFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  checkCertificate,
  makeCertificate,
  parseCertificate,
  type FleetCertificate,
  type NodeRecord,
  type Predicate,
} from "@ashlar/fleet";
import { signerOf } from "@ashlar/statements";
import { expectationsOf } from "@ashlar/identity";
import { authorityExtensions, TestAuthority, testCertificate, TestNode } from "@ashlar/identity/test-fixtures";
import { challengedNonce } from "@ashlar/protocol";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { digestOfStoredAnswer } from "@ashlar/verifier";
import { TestAgent } from "@ashlar/verifier/test-fixtures";
import type { ProveOptions } from "../prove/prove-options.ts";
import { certify } from "./certify.ts";
import { checkEvidence } from "./check-evidence.ts";
import { parseMoment, parseValidity } from "./validity.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-certify-"));
after(() => rmSync(directory, { recursive: true }));
const inside = (name: string): string => join(directory, name);

const CONFIG = '{"ignition":{"version":"3.4.0"}}';
const [release, next] = [testRelease("1.0.0"), testRelease("1.1.0")];
const report = testNextBootReport([
  [release, "ashlar_1.0.0.efi"],
  [next, "ashlar_1.1.0+3-0.efi"],
]);
const authority = new TestAuthority();
const machines = [new TestNode(authority), new TestNode(authority)] as const;
const expected = expectationsOf({ release, classConfig: Buffer.from(CONFIG), nodeConfig: new Uint8Array() });
for (const machine of machines) machine.boot(testLogs(release, expected.classConfigSha256, expected.nodeConfigSha256));
writeFileSync(inside("worker.ign"), CONFIG);
writeFileSync(inside("makers.pem"), authority.roots);
for (const each of [release, next]) writeFileSync(inside(`${each.version}.json`), JSON.stringify(each));

const keys = generateKeyPairSync("ed25519");
const signer = signerOf(keys);
writeFileSync(inside("certify.pem"), keys.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
writeFileSync(inside("certify.pub"), keys.publicKey.export({ type: "spki", format: "pem" }));

const CHALLENGE = "audit 2026-03: 8b1f";
const HOUR = 3_600_000;
const FLEET = { fleet: inside("fleet.yaml"), maxAge: 600, knownImage: [inside("1.1.0.json")] };

/** Both nodes answer, and a third one that the file names does not. */
async function certified(options: Partial<ProveOptions> = {}): Promise<string> {
  await using one = await TestAgent.start(machines[0], release, { nextBoot: report });
  await using two = await TestAgent.start(machines[1], release, { nextBoot: report });
  writeFileSync(
    inside("fleet.yaml"),
    `schema: ashlar.fleet/v1
pins: pins.json
classes: {worker: {config: worker.ign, image: 1.0.0.json, trust: {ekRoots: makers.pem}}}
nodes:
  - {name: a, url: "${one.url}", class: worker}
  - {name: b, url: "${two.url}", class: worker}
`,
  );
  const { text } = await certify({ ...FLEET, challenge: CHALLENGE, ...options }, signer, HOUR);
  return text;
}

const TEXT = await certified({ evidence: inside("evidence") });
writeFileSync(inside("cert.json"), TEXT);
const CERTIFICATE = fleetOf(TEXT);

function fleetOf(text: string): FleetCertificate {
  const certificate = parseCertificate(text);
  assert.equal(certificate.kind, "fleet");
  return certificate;
}

function predicateOf(certificate: FleetCertificate): Predicate {
  const { predicate, refusals } = checkCertificate(certificate, { publicKey: keys.publicKey, nowMs: Date.now() });
  assert.deepEqual(refusals, []);
  assert.ok(predicate !== undefined);
  return predicate;
}

const evidenceCodes = async (name: string, certificate = CERTIFICATE, options = {}): Promise<readonly string[]> =>
  (await checkEvidence(certificate, predicateOf(certificate), inside(name), options)).map(({ code }) => code);

type Result = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

function ashlar(...args: readonly string[]): Result {
  return spawnSync(process.execPath, [join(import.meta.dirname, "../main.ts"), ...args], {
    encoding: "utf8",
    cwd: directory,
  });
}

test("what was proved of each node is in the certificate, and its evidence has the nonces of the challenge", async () => {
  const { nodes, running } = CERTIFICATE;
  assert.deepEqual(
    nodes.map(({ name, level, nextBoot, differences }) => [name, level, nextBoot, differences]),
    [
      ["a", "proven", "proven", []],
      ["b", "proven", "proven", []],
    ],
  );
  const [runs] = running.values();
  assert.deepEqual([running.size, runs?.release, runs?.config], [1, "1.0.0", expected.classConfigSha256]);
  const { fleet, challenge, policies, verdict } = predicateOf(CERTIFICATE);
  assert.deepEqual([fleet?.name, challenge, verdict], ["fleet.yaml", CHALLENGE, "proven"]);
  assert.equal(policies[0]?.ekRoots?.count, 2);
  for (const { name, evidence } of nodes) {
    // As the reference says that anybody can compute it.
    const sums = execFileSync("sh", ["-c", "LC_ALL=C; sha256sum -- * | sha256sum"], {
      cwd: inside(`evidence/${name}`),
    });
    assert.equal(sums.toString().slice(0, 64), evidence);
    assert.equal(digestOfStoredAnswer(inside("evidence"), name), evidence);
    const { nonce }: { nonce: string } = JSON.parse(readFileSync(inside(`evidence/${name}/answer.json`), "utf8"));
    assert.equal(nonce, challengedNonce(CHALLENGE, name).toString("hex"));
  }
});

test("the evidence is compared, and judged again: what does not fit is named", async () => {
  assert.deepEqual(await evidenceCodes("evidence"), []);
  cpSync(inside("evidence"), inside("changed"), { recursive: true });
  appendFileSync(inside("changed/a/quote.msg"), "x");
  rmSync(inside("changed/b"), { recursive: true });
  assert.deepEqual(await evidenceCodes("changed"), ["evidence-changed", "evidence-missing"]);
  // A signer who has written down other levels than the evidence gives.
  const lie = (change: (node: NodeRecord) => Partial<NodeRecord>, more: Partial<Predicate> = {}): FleetCertificate => {
    const predicate = predicateOf(CERTIFICATE);
    const nodes = CERTIFICATE.nodes.map(({ runs, salt: _salt, ...node }) => {
      const own = CERTIFICATE.running.get(runs);
      assert.ok(own !== undefined);
      return Object.assign(node, { running: own }, change({ ...node, runs, salt: "" }));
    });
    const times = { issuedAtMs: Date.parse(predicate.issuedAt), validForMs: HOUR };
    return fleetOf(makeCertificate({ ...predicate, nodes, ...times, ...more }, signer, () => Buffer.alloc(16)));
  };
  assert.deepEqual(
    await evidenceCodes(
      "evidence",
      lie(() => ({})),
    ),
    [],
  );
  const worse = lie(({ name }) => (name === "a" ? { level: "reported" } : {}), { verdict: "unknown" });
  assert.deepEqual(await evidenceCodes("evidence", worse), ["evidence-verdict"]);
  // Evidence of before the challenge.
  const other = lie(() => ({}), { challenge: "another one" });
  assert.deepEqual(await evidenceCodes("evidence", other), ["evidence-nonce", "evidence-nonce"]);
  // The auditor believes other makers.
  writeFileSync(inside("others.pem"), testCertificate({ commonName: "Other", extensions: authorityExtensions() }).pem);
  const own = await evidenceCodes("evidence", CERTIFICATE, { ekRoots: inside("others.pem") });
  assert.deepEqual(own, ["evidence-verdict", "evidence-verdict"]);
  assert.deepEqual(await evidenceCodes("evidence", CERTIFICATE, { ekRoots: inside("makers.pem") }), []);
  const stricter = lie(() => ({}), {
    policies: predicateOf(CERTIFICATE).policies.map((each) => Object.assign({}, each, { vouchedBy: "x" })),
  });
  assert.deepEqual(await evidenceCodes("evidence", stricter), ["evidence-policy"]);
});

test("kept evidence is certified only for the challenge that it was asked with", async () => {
  const from = { from: inside("evidence"), maxAge: 600 };
  const again = await certify({ ...from, challenge: CHALLENGE }, signer, HOUR);
  const nodes = fleetOf(again.text).nodes.map(({ salt: _salt, ...node }) => node);
  assert.deepEqual(
    nodes,
    CERTIFICATE.nodes.map(({ salt: _salt, ...node }) => node),
  );
  assert.equal(predicateOf(fleetOf(again.text)).fleet, null);
  await assert.rejects(certify({ ...from, challenge: "later" }, signer, HOUR), { code: "untrusted" });
});

test("verify: 0 when all holds and all is proven, 1 with its reason when not; show, compare and node", () => {
  const verified = ashlar(
    "certificate",
    "verify",
    "cert.json",
    "--key",
    "certify.pub",
    "--fleet",
    "fleet.yaml",
    "--challenge",
    CHALLENGE,
    "--evidence",
    "evidence",
  );
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  assert.match(verified.stdout, /^verdict proven: 2 nodes, 2 proven$/mu);
  assert.match(verified.stdout, /^holds, signed by [0-9a-f]{64}$/mu);

  const written: { nodes: NodeRecord[] } = JSON.parse(TEXT);
  writeFileSync(inside("less.json"), JSON.stringify({ ...written, nodes: written.nodes.slice(1) }));
  const refused = ashlar("certificate", "verify", "less.json", "--key", "certify.pub", "--json");
  assert.equal(refused.status, 1);
  const { holds, refusals }: { holds: boolean; refusals: { code: string }[] } = JSON.parse(refused.stdout);
  assert.deepEqual([holds, refusals.map(({ code }) => code)], [false, ["node-left-out"]]);

  const node = ashlar("certificate", "node", "cert.json", "a", "--out", "a.json");
  assert.equal(node.status, 0, node.stderr);
  assert.doesNotMatch(readFileSync(inside("a.json"), "utf8"), /"name":"b"/u);
  const proof = ashlar("certificate", "verify", "a.json", "--key", "certify.pub");
  assert.equal(proof.status, 0, proof.stdout + proof.stderr);
  assert.match(proof.stdout, /^a +proven +proven +1\.0\.0 /mu);

  const changed = makeCertificate(
    {
      ...predicateOf(CERTIFICATE),
      nodes: [...CERTIFICATE.running.values()].flatMap((running) =>
        ["b", "c"].map((name) => ({
          name,
          level: "proven" as const,
          nextBoot: "proven" as const,
          policy: 0,
          challengedAt: null,
          evidence: null,
          differences: [],
          running: { ...running, release: "1.1.0", extensions: [] },
        })),
      ),
      issuedAtMs: Date.now(),
      validForMs: HOUR,
    },
    signer,
    () => Buffer.alloc(16),
  );
  writeFileSync(inside("later.json"), changed);
  const compared = ashlar("certificate", "compare", "cert.json", "later.json", "--key", "certify.pub");
  assert.equal(compared.status, 1, compared.stderr);
  assert.deepEqual(compared.stdout.trimEnd().split("\n"), [
    "joined   c",
    "left     a",
    "changed  b: release: 1.0.0 -> 1.1.0",
    "1 joined, 1 left, 1 changed, 0 the same",
  ]);
  const shown = ashlar("certificate", "show", "cert.json");
  assert.equal(shown.status, 0);
  assert.match(shown.stderr, /the signature was not checked/u);
  assert.match(shown.stdout, /^b +proven +proven +1\.0\.0 +[0-9a-f]{12} /mu);
});

test("certify from the command line: a file for others, whose key is kept from them", () => {
  const made = ashlar(
    "certify",
    "--from",
    "evidence",
    "--key",
    "certify.pem",
    "--out",
    "kept.json",
    "--valid-for",
    "7d",
    "--json",
  );
  assert.equal(made.status, 0, made.stderr);
  const { verdict, nodes, root }: { verdict: string; nodes: number; root: string } = JSON.parse(made.stdout);
  const kept = fleetOf(readFileSync(inside("kept.json"), "utf8"));
  assert.deepEqual([verdict, nodes, root], ["proven", 2, kept.root]);
  const { issuedAt, expiresAt, challenge } = predicateOf(kept);
  assert.equal(Date.parse(expiresAt) - Date.parse(issuedAt), 7 * 24 * HOUR);
  assert.equal(challenge, null);
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(inside("rsa.pem"), other.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const refused = ashlar("certify", "--from", "evidence", "--key", "rsa.pem", "--out", "no.json");
  assert.equal(refused.status, 65);
  assert.match(refused.stderr, /expected a key for Ed25519 or for ECDSA on P-256/u);
  assert.ok(createPublicKey(createPrivateKey(readFileSync(inside("certify.pem")))).equals(keys.publicKey));
});

test("a command signs with a key that is elsewhere; what it gives is held to the public key", () => {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(inside("token.pem"), pair.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  writeFileSync(inside("token.pub"), pair.publicKey.export({ type: "spki", format: "pem" }));
  const certifyWith = (command: string, ...more: string[]): ReturnType<typeof ashlar> =>
    ashlar(
      "certify",
      "--from",
      "evidence",
      "--out",
      "token.json",
      "--public-key",
      "token.pub",
      "--sign-with",
      command,
      ...more,
    );
  const made = certifyWith("openssl dgst -sha256 -sign token.pem");
  assert.equal(made.status, 0, made.stderr);
  const verified = ashlar("certificate", "verify", "token.json", "--key", "token.pub");
  assert.equal(verified.status, 0, verified.stdout);

  rmSync(inside("token.json"));
  for (const [command, status, words] of [
    ["openssl dgst -sha512 -sign token.pem", 65, /expected a signature by --public-key, found other bytes/u],
    ["cat >/dev/null", 65, /found other bytes/u],
    ["cat >/dev/null; exit 3", 69, /--sign-with: expected a command that signs, found status 3/u],
  ] as const) {
    const refused = certifyWith(command);
    assert.equal(refused.status, status, refused.stderr);
    assert.match(refused.stderr, words);
    assert.ok(!existsSync(inside("token.json")));
  }
  for (const more of [
    ["--key", "token.pem"],
    ["--passphrase-file", "x", "--key", "token.pem"],
  ]) {
    assert.equal(certifyWith("true", ...more).status, 64);
  }
});

test("times as they are written", () => {
  assert.deepEqual(["24h", "7d", "90m"].map(parseValidity), [24 * HOUR, 7 * 24 * HOUR, 1.5 * HOUR]);
  for (const wrong of ["", "0h", "24", "367d", "1w", "-1h"])
    assert.throws(() => parseValidity(wrong), { code: "usage" });
  assert.equal(parseMoment("2026-03-04T05:06:07Z"), Date.UTC(2026, 2, 4, 5, 6, 7));
  for (const wrong of ["", "yesterday", "2026-03-04", "2026-13-04T00:00:00Z"]) {
    assert.throws(() => parseMoment(wrong), { code: "usage" }, wrong);
  }
});
