import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { formatNoteKey, makeCertificate, type ProvedNode } from "@ashlar/fleet";
import { signerOf } from "@ashlar/statements";
import { run } from "@ashlar/host";
import { withServer } from "@ashlar/repository/test-fixtures";

const ASHLAR = fileURLToPath(new URL("../../../../ashlar", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "ashlar-history-"));
after(() => rmSync(directory, { recursive: true }));

const KEYS = generateKeyPairSync("ed25519");
writeFileSync(join(directory, "key.pem"), KEYS.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
writeFileSync(join(directory, "key.pub"), KEYS.publicKey.export({ type: "spki", format: "pem" }));

const HOUR_MS = 3_600_000;
const NOW_MS = Date.now();
const hoursAgo = (hours: number): string => new Date(NOW_MS - hours * HOUR_MS).toISOString();

function nodeOf(name: string, release: string): ProvedNode {
  const running = {
    identity: release.repeat(64).slice(0, 64).replaceAll(".", "a"),
    release,
    config: null,
    extensions: [],
  };
  const state = { level: "proven", nextBoot: "proven", policy: 0, challengedAt: null, evidence: null } as const;
  return { name, running, differences: [], ...state };
}

/** Three certificates: node-2 is updated, then node-1 leaves. */
const FLEETS: [string, number, ProvedNode[]][] = [
  ["one.json", 30, [nodeOf("node-1", "1.0.0"), nodeOf("node-2", "1.0.0")]],
  ["two.json", 20, [nodeOf("node-1", "1.0.0"), nodeOf("node-2", "1.1.0")]],
  ["three.json", 10, [nodeOf("node-2", "1.1.0")]],
];
const POLICY = { ekRoots: null, cloudRoots: null, acceptExpiredEk: false, vouchedBy: null, firmwarePolicy: null };
for (const [name, hours, nodes] of FLEETS) {
  const input = { verdict: "proven", fleet: null, challenge: null, verifier: "ashlar", validForMs: HOUR_MS } as const;
  const policies = [{ ...POLICY, maxAgeSeconds: 60 }];
  const issuedAtMs = NOW_MS - hours * HOUR_MS;
  writeFileSync(
    join(directory, name),
    makeCertificate({ ...input, nodes, policies, issuedAtMs }, signerOf(KEYS), () => Buffer.alloc(16)),
  );
}

function history(...args: string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return spawnSync(ASHLAR, ["history", ...args], { cwd: directory, encoding: "utf8" });
}
const add = (name: string): ReturnType<typeof history> =>
  history("add", name, "--log", "log", "--key", "key.pem", "--origin", "example.org/fleet");
const OF_LOG = ["--log", "log", "--key", "key.pub"];

test("a log is made, grows, and says what ran where at a time", () => {
  for (const [at, [name]] of FLEETS.entries()) {
    const { status, stdout, stderr } = add(name);
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(`^entry ${at}: certificate [0-9a-f]{64}\n$`, "u"));
  }
  assert.match(add("two.json").stdout, /^entry 1 \(it was there already\)/u);

  const list = history("show", ...OF_LOG);
  assert.equal(list.status, 0, list.stderr);
  assert.match(
    list.stdout,
    /^0 .* 2 nodes {2}the first\n1 .* 0 joined, 0 left, 1 changed, 1 the same\n2 .* 0 joined, 1 left/u,
  );

  // `show` is what is meant without a word.
  const moment = history(...OF_LOG, "--at", hoursAgo(15));
  assert.equal(moment.status, 0, moment.stderr);
  assert.match(moment.stdout, /^at .*, by the certificate of .*: proven, 2 nodes\n/u);
  assert.match(moment.stdout, /^node-2 +proven +proven +1\.1\.0 /mu);
  const before = history(...OF_LOG, "--at", hoursAgo(40));
  assert.deepEqual([before.status, before.stdout.startsWith("nothing is known of ")], [1, true]);

  const node = history("show", ...OF_LOG, "--node", "node-2", "--json");
  const { moments }: { moments: { issuedAt: string; changes?: { what: string; after: string }[] }[] } = JSON.parse(
    node.stdout,
  );
  assert.deepEqual(
    moments.map(({ issuedAt, changes }) => [issuedAt, changes?.[0]?.after]),
    [
      [hoursAgo(30), undefined],
      [hoursAgo(20), "1.1.0"],
    ],
  );
  assert.match(history("show", ...OF_LOG, "--node", "node-1").stdout, /^.* is there: proven.*\n.* has left\n$/u);
  assert.equal(history("show", ...OF_LOG, "--node", "node-9").status, 1);
});

test("verify remembers what it has seen, from a directory or a web server, and notices when something was taken back", async () => {
  const key = formatNoteKey({ name: "example.org/fleet", publicKey: KEYS.publicKey });
  await withServer(
    join(directory, "log"),
    async ({ serve }) => await serve(),
    async (url) => {
      const args = ["history", "verify", "--log", url, "--key", key, "--remember", join(directory, "seen")];
      const { stdout } = await run(ASHLAR, args);
      assert.match(stdout.toString(), /^example\.org\/fleet: 3 certificates, root [0-9a-f]{64}: holds\n$/u);
    },
  );
  assert.equal(readFileSync(join(directory, "seen"), "utf8"), readFileSync(join(directory, "log/checkpoint"), "utf8"));

  rmSync(join(directory, "log"), { recursive: true });
  assert.equal(add("one.json").status, 0);
  const taken = history("verify", ...OF_LOG, "--remember", "seen", "--json");
  assert.equal(taken.status, 1);
  const { holds, problems }: { holds: boolean; problems: { code: string }[] } = JSON.parse(taken.stdout);
  assert.deepEqual([holds, problems.map(({ code }) => code)], [false, ["rolled-back"]]);
  for (const name of ["two.json", "three.json"]) assert.equal(add(name).status, 0);
});

test("a proof of one certificate is checked offline; of another certificate, or by another key, it does not hold", () => {
  const made = history("proof", "two.json", ...OF_LOG, "--out", "two.tlog-proof");
  assert.equal(made.status, 0, made.stderr);
  const check = (...args: string[]): ReturnType<typeof history> =>
    history("check", "two.tlog-proof", "--key", "key.pub", ...args);
  const good = check("--certificate", "two.json");
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /^holds: certificate [0-9a-f]{64} is entry 1 of 3 in example\.org\/fleet\n$/u);
  assert.equal(check("--certificate", "one.json").status, 65);
  const other = formatNoteKey({ name: "example.org/other", publicKey: KEYS.publicKey });
  assert.equal(history("check", "two.tlog-proof", "--key", other).status, 65);
  assert.equal(history("proof", "7", ...OF_LOG).status, 66);
});

test("a witness signs what goes on from what it has seen, and readers ask for it", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(join(directory, "witness.pem"), privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const witness = (log: string, ...more: string[]): ReturnType<typeof history> => {
    const own = ["--key", "witness.pem", "--name", "witness.example/1", "--remember", "witnessed"];
    return history("witness", "--log", log, "--log-key", "key.pub", ...own, ...more);
  };
  const made = witness("log", "--out", "seen-by-1", "--json");
  assert.equal(made.status, 0, made.stderr);
  const { key, size }: { key: string; size: number } = JSON.parse(made.stdout);
  assert.equal(size, 3);
  const verify = (...more: string[]): ReturnType<typeof history> =>
    history("verify", ...OF_LOG, "--witness", key, ...more);
  const before = verify();
  assert.equal(before.status, 1);
  assert.match(
    before.stdout,
    /^not-witnessed: expected cosignatures of this checkpoint by 1 of 1 witnesses, found none\n/u,
  );
  const added = history("cosign", "seen-by-1", ...OF_LOG, "--witness", key);
  assert.equal(added.status, 0, added.stderr);
  assert.match(added.stdout, /^seen by witness\.example\/1, 20/u);
  assert.equal(verify().status, 0);
  assert.equal(history("proof", "two.json", ...OF_LOG, "--out", "witnessed.tlog-proof").status, 0);
  const check = (file: string): number | null => history("check", file, "--key", "key.pub", "--witness", key).status;
  assert.deepEqual([check("witnessed.tlog-proof"), check("two.tlog-proof")], [0, 65]);

  // Another past, signed by the same log's key.
  for (const name of ["one.json", "three.json", "two.json"]) {
    assert.equal(history("add", name, "--log", "fork", "--key", "key.pem", "--origin", "example.org/fleet").status, 0);
  }
  const fork = witness("fork", "--out", "seen-fork");
  assert.equal(fork.status, 1);
  assert.match(fork.stderr, /rewritten: .*\n.*nothing was signed/u);
  assert.ok(!existsSync(join(directory, "seen-fork")));
  assert.equal(history("cosign", "seen-by-1", "--log", "fork", "--key", "key.pub", "--witness", key).status, 69);
  assert.equal(verify("--quorum", "2").status, 64);
  assert.equal(history("verify", ...OF_LOG, "--witness", key, key).status, 64);
  assert.equal(history("verify", ...OF_LOG, "--quorum", "1").status, 64);
});

test("what does not hold is not added", () => {
  const text = readFileSync(join(directory, "three.json"), "utf8");
  writeFileSync(join(directory, "bad.json"), text.replace("node-2", "node-3"));
  const { status, stderr } = add("bad.json");
  assert.equal(status, 65);
  assert.match(stderr, /bad\.json: node-changed: /u);
});
