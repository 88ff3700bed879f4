import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { expectationsOf, parseEkRoots } from "@ashlar/identity";
import { authorityExtensions, KeyedMachine, testCertificate } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { proveStored, type ProveStoredOptions } from "../prove-stored.ts";
import type { SeenAnswer } from "./judge-stored.ts";
import { digestOfStoredAnswer } from "./digest-answer.ts";
import { writeStoredAnswer } from "./write-answer.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-threads-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const issuer = testCertificate({ commonName: "Maker", key: "rsa", extensions: authorityExtensions() });
const another = testCertificate({ commonName: "Somebody", key: "rsa", extensions: authorityExtensions() });
const RELEASES = [testRelease("1.0.0"), testRelease("1.1.0")] as const;
const CONFIG = Buffer.from("{}");

type Fault = { readonly name: string; readonly change: (place: string) => void };

const changed = (file: string, change: (bytes: Buffer) => Buffer): Fault["change"] => {
  return (place) => writeFileSync(join(place, file), change(readFileSync(join(place, file))));
};
const flipped = (at: number) => (bytes: Buffer) => {
  const offset = at < 0 ? bytes.length + at : at;
  return Buffer.concat([bytes.subarray(0, offset), Buffer.of((bytes[offset] ?? 0) ^ 1), bytes.subarray(offset + 1)]);
};

const FAULTS: readonly Fault[] = [
  { name: "sound", change: () => undefined },
  { name: "quote", change: changed("quote.msg", flipped(-1)) },
  { name: "signature", change: changed("quote.sig", flipped(-1)) },
  // As long as the log that the others of its identity have: only its bytes tell them apart. No digest covers the first one.
  { name: "log-byte", change: changed("firmware-log.bin", flipped(-1)) },
  { name: "log-digest", change: changed("firmware-log.bin", flipped(100)) },
  { name: "log-cut", change: changed("firmware-log.bin", (bytes) => bytes.subarray(0, -1)) },
  { name: "userspace", change: changed("userspace-log.cel", flipped(-10)) },
  { name: "certificate", change: changed("ek-cert.der", flipped(-1)) },
  { name: "no-log", change: (place) => rmSync(join(place, "firmware-log.bin")) },
  { name: "no-next-boot-quote", change: (place) => rmSync(join(place, "next-boot-quote.sig")) },
  { name: "next-boot", change: changed("next-boot.json", (bytes) => Buffer.concat([bytes, Buffer.from(" ")])) },
  { name: "qualifying-data", change: changed("qualifying-data", flipped(0)) },
  { name: "json", change: changed("answer.json", (bytes) => bytes.subarray(0, -5)) },
  { name: "none", change: (place) => rmSync(place, { recursive: true }) },
];

/** Several rounds of all faults, of two identities, so that what was read of one node is there when the next is judged. */
const NAMES: string[] = [];
for (let round = 0; round < 3; round++) {
  for (const [index, { name, change }] of FAULTS.entries()) {
    const release = RELEASES[(index + round) % 2] ?? RELEASES[0];
    const expectations = expectationsOf({ release, classConfig: CONFIG, nodeConfig: CONFIG });
    const machine = new KeyedMachine(round === 2 && index === 0 ? another : issuer);
    machine.boot(testLogs(release, expectations.classConfigSha256, expectations.nodeConfigSha256));
    const node = `${name}-${round}`;
    NAMES.push(node);
    const challenge = { nonce: Buffer.alloc(32, index + 1), tlsPublicKey: Buffer.alloc(91, round) };
    await writeStoredAnswer(directory, node, {
      evidence: machine.evidence(release, challenge),
      ...challenge,
      challengedAtMs: Date.now(),
      pin: { ...machine.pin, enrolledAt: new Date().toISOString(), resetCount: 0 },
      expected: { ...expectations, releases: [release.uki.sha256] },
      nextBoot: {
        answer: machine.nextBoot(testNextBootReport([[release, `ashlar_${release.version}.efi`]]), challenge),
      },
    });
    change(join(directory, node));
  }
}

const OPTIONS: ProveStoredOptions = {
  ekRoots: parseEkRoots(issuer.pem),
  release: RELEASES[0],
  candidates: RELEASES,
  extensions: [],
  maxAgeMs: 600_000,
  nowMs: Date.now(),
};

async function judge(names: readonly string[], options: Partial<ProveStoredOptions>): Promise<object> {
  const seen = new Map<string, SeenAnswer>();
  const tell = { digest: true, firmware: true } as const;
  const onSeen = (name: string, answer: SeenAnswer): void => void seen.set(name, answer);
  const { fleet, agesMs } = await proveStored(directory, names, { ...OPTIONS, ...options, tell, onSeen });
  return { nodes: fleet.nodes, verdict: fleet.verdict, agesMs, seen };
}

test("threads find of a mixed fleet what one thread finds, and what each node alone gives", async () => {
  const alone = [];
  for (const name of NAMES) {
    const { fleet } = await proveStored(directory, [name], OPTIONS);
    alone.push(...fleet.nodes);
  }
  assert.deepEqual(
    alone.filter(({ level }) => level === "proven").map(({ name }) => name.replace(/-[0-9]$/u, "")),
    // The last sound one is another maker's.
    ["sound", "log-byte", "sound", "log-byte", "log-byte"],
  );
  const one = await judge(NAMES, { threads: 1 });
  assert.deepEqual("nodes" in one && one.nodes, alone);
  for (const threads of [2, 3]) assert.deepEqual(await judge(NAMES, { threads }), one, `${threads} threads`);
  const reversed = await judge(NAMES.toReversed(), { threads: 1 });
  assert.deepEqual("nodes" in reversed && Array.isArray(reversed.nodes) && reversed.nodes.toReversed(), alone);
});

test("what is told of an answer has the digest of what lies in its directory", async () => {
  const told: (readonly [string, string | undefined])[] = [];
  await proveStored(directory, NAMES, {
    ...OPTIONS,
    threads: 2,
    tell: { digest: true },
    onSeen: (name, { digest }) => void told.push([name, digest]),
  });
  assert.ok(told.length > FAULTS.length);
  for (const [name, digest] of told) assert.equal(digest, digestOfStoredAnswer(directory, name), name);
});
