import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { parseAttest } from "@ashlar/formats";
import { parseEkRoots } from "@ashlar/identity";
import {
  akExtensions,
  authorityExtensions,
  publicKeyOf,
  TestAuthority,
  testCertificate,
  TestNode,
} from "@ashlar/identity/test-fixtures";
import { readPins } from "./pin-store.ts";
import { proveNodes, type ProveNodesOptions } from "./prove-nodes.ts";
import { keepIn } from "./stored/keep-evidence.ts";
import { proveStored } from "./prove-stored.ts";
import { readStoredFleet } from "./stored/read-fleet.ts";
import { writeStoredFleet } from "./stored/write-fleet.ts";
import { TestAgent, type TestAgentOptions } from "./test-agent.ts";
import { LOGS, NEXT, NEXT_BOOT, RELEASE, target } from "./test-declared.ts";

/** As Azure's firmware makes it: fixedTPM fixedParent sensitiveDataOrigin userWithAuth noDA restricted sign. */
const AZURES = 0x0005_0472;
const directory = mkdtempSync(join(tmpdir(), "ashlar-clouds-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const root = testCertificate({ commonName: "Cloud Root", extensions: authorityExtensions() });
const issuing = testCertificate({ commonName: "Cloud CA 3", issuer: root, extensions: authorityExtensions() });
const certificateFor = (ak: Uint8Array, commonName = "vm"): Uint8Array =>
  testCertificate({
    commonName,
    publicKey: publicKeyOf(ak),
    issuer: issuing,
    extensions: akExtensions("2.23.133.8.3"),
  }).der;

const authority = new TestAuthority();
/** A real software TPM whose attestation key is in the storage hierarchy, where counts are not shown as they are. */
const node = new TestNode(authority);
const ak = node.useCloudKey("o", AZURES);
const keys = { ak, akCertificate: certificateFor(ak) };
node.boot(LOGS);

let options: ProveNodesOptions;
let run = 0;
beforeEach(() => {
  run += 1;
  options = {
    ekRoots: undefined,
    cloudRoots: parseEkRoots(root.pem + issuing.pem),
    candidates: [NEXT],
    maxAgeMs: 60_000,
    pinsPath: join(directory, `state-${run}`, "pins.json"),
  };
});
const start = async (more: TestAgentOptions = {}): Promise<TestAgent> =>
  await TestAgent.start(node, RELEASE, { keys, nextBoot: NEXT_BOOT, ...more });

test("a node with a certified attestation key is proven without a challenge; the verdict says who certified it", async () => {
  await using agent = await start();
  const { fleet } = await proveNodes([target("worker", agent.url)], options);
  const [first] = fleet.nodes;
  assert.deepEqual(first?.differences, []);
  assert.equal(first?.level, "proven");
  assert.deepEqual(first.notes.slice(0, 1), ["attestation key certified by CN=Cloud CA 3, under CN=Cloud Root"]);
  assert.equal(first.nextBoot?.level, "proven", "both answers show the same boot");
  assert.deepEqual(agent.asked, ["/v1/keys", "/v1/evidence", "/v1/next-boot"]);
});

test("a new boot and a renewed certificate are the same node; counts of the storage hierarchy order boots all the same", async () => {
  await using agent = await start();
  await proveNodes([target("worker", agent.url)], options);
  const pins = await readPins(options.pinsPath);
  const before = pins.get("worker")?.resetCount ?? 0;
  node.boot(LOGS);
  await using renewed = await start({ keys: { ak, akCertificate: certificateFor(ak, "renewed") } });
  const { fleet } = await proveNodes([target("worker", renewed.url)], options);
  assert.deepEqual(fleet.nodes[0]?.differences, []);
  assert.deepEqual(await readPins(options.pinsPath), pins);
  const challenge = { nonce: Buffer.alloc(32), tlsPublicKey: Buffer.alloc(1) };
  const quoted = parseAttest(node.evidence(RELEASE, challenge).quoteMessage);
  assert.equal((quoted.resetCount - before) >>> 0, 1, "one more boot is one more, whatever is added");
  assert.ok(quoted.resetCount > 1000, `expected a count that something is added to, found ${quoted.resetCount}`);
});

test("without trusted clouds it is reported; with them the same pin is proven; makers do not count as clouds", async () => {
  await using agent = await start();
  const reported = (await proveNodes([target("worker", agent.url)], { ...options, cloudRoots: undefined })).fleet;
  assert.equal(reported.nodes[0]?.level, "reported");
  assert.match(
    reported.nodes[0].differences[0]?.found ?? "",
    /no trusted clouds were given \(ashlar trust add --cloud/u,
  );
  assert.equal((await proveNodes([target("worker", agent.url)], options)).fleet.verdict, "proven");
  const makersOnly = { ...options, cloudRoots: undefined, ekRoots: options.cloudRoots };
  assert.equal((await proveNodes([target("worker", agent.url)], makersOnly)).fleet.nodes[0]?.level, "reported");
  const others = { ...options, cloudRoots: parseEkRoots(authority.roots) };
  const mismatch = (await proveNodes([target("worker", agent.url)], others)).fleet.nodes[0];
  assert.deepEqual([mismatch?.level, mismatch?.differences[0]?.code], ["mismatch", "ak-chain"]);
});

test("one certified key is one node", async () => {
  await using agent = await start();
  const { fleet } = await proveNodes([target("a", agent.url), target("b", agent.url)], options);
  assert.deepEqual(
    fleet.nodes.map(({ level }) => level),
    ["mismatch", "mismatch"],
  );
  await proveNodes([target("a", agent.url)], options);
  const second = (await proveNodes([target("b", agent.url)], options)).fleet.nodes[0];
  assert.match(second?.differences[0]?.found ?? "", /expected a TPM of its own, found the one of a/u);
  // What the node says of the key beside its numbers is not certified: it makes no second TPM of it.
  const renamed = ak.slice();
  new DataView(renamed.buffer, renamed.byteOffset).setUint32(6, AZURES & ~0x400);
  await using alias = await start({ keys: { ...keys, ak: renamed } });
  const third = (await proveNodes([target("c", alias.url)], options)).fleet.nodes[0];
  assert.match(third?.differences[0]?.found ?? "", /expected a TPM of its own, found the one of a/u);
});

test("another key than the certified one, or a node that was enrolled by its EK, is refused", async () => {
  const other = new TestNode(authority);
  const otherAk = other.useCloudKey("e", AZURES);
  other.boot(LOGS);
  await using liar = await TestAgent.start(other, RELEASE, {
    keys: { ak: otherAk, akCertificate: keys.akCertificate },
  });
  const found = (await proveNodes([target("liar", liar.url)], options)).fleet.nodes[0];
  assert.match(found?.differences[0]?.found ?? "", /attestation key's certificate: .*found another key's certificate/u);
  // A key that signs anything, which a cloud has certified all the same.
  const free = other.keys.ak.slice();
  new DataView(free.buffer, free.byteOffset).setUint32(6, 0x0004_0072);
  await using unrestricted = await TestAgent.start(other, RELEASE, {
    keys: { ak: free, akCertificate: certificateFor(free) },
  });
  const refused = (await proveNodes([target("free", unrestricted.url)], options)).fleet.nodes[0];
  assert.match(refused?.differences[0]?.found ?? "", /attestation key's attributes/u);
  assert.equal((await readPins(options.pinsPath)).size, 0);

  const plain = new TestNode(authority);
  plain.boot(LOGS);
  const trust = { ...options, ekRoots: parseEkRoots(authority.roots) };
  await using before = await TestAgent.start(plain, RELEASE);
  assert.equal((await proveNodes([target("worker", before.url)], trust)).fleet.nodes[0]?.level, "proven");
  const cloudKeys = { ak: plain.keys.ak, akCertificate: certificateFor(plain.keys.ak) };
  await using now = await TestAgent.start(plain, RELEASE, { keys: cloudKeys });
  const changed = (await proveNodes([target("worker", now.url)], trust)).fleet.nodes[0];
  assert.deepEqual([changed?.level, changed?.differences[0]?.code], ["mismatch", "pin"]);
});

test("kept evidence has the key's certificate, and is judged again with the clouds that were trusted", async () => {
  const evidenceDirectory = join(directory, "evidence");
  await using agent = await start();
  const cloudRoots = root.pem + issuing.pem;
  const fleet = { nodes: ["worker"], manifest: "{}", ekRoots: undefined, cloudRoots, known: [], extensions: [] };
  await writeStoredFleet(evidenceDirectory, fleet);
  await proveNodes([target("worker", agent.url)], { ...options, evidence: keepIn(evidenceDirectory) });
  const files = readdirSync(join(evidenceDirectory, "worker"));
  assert.ok(files.includes("ak-cert.der") && !files.includes("ek-cert.der") && !files.includes("ek.pub"));
  const stored = await readStoredFleet(evidenceDirectory);
  const trust = { ekRoots: undefined, cloudRoots: parseEkRoots(stored.cloudRoots ?? "") };
  const judging = { ...trust, candidates: [NEXT], maxAgeMs: 60_000, release: RELEASE, extensions: [] };
  const again = await proveStored(evidenceDirectory, ["worker"], judging);
  assert.equal(again.fleet.verdict, "proven");
});
