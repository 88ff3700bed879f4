import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { keyObjectOf, parsePublic, sha256 } from "@ashlar/formats";
import { expectationsOf, parseEkRoots } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { operatorPin } from "@ashlar/protocol";
import { testLogs, testRelease } from "@ashlar/protocol/test-fixtures";
import { proveNodes } from "./prove-nodes.ts";
import { TestAgent } from "./test-agent.ts";
import { ekDigestOfFile, openVouchedEks, signVouchedEks } from "./vouched-eks.ts";

const authority = new TestAuthority();
const directory = mkdtempSync(join(tmpdir(), "ashlar-vouched-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const owner = generateKeyPairSync("ec", { namedCurve: "P-256" });
const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PIN = operatorPin(owner.publicKey);
const EKS = [{ sha256: sha256("an EK"), name: "server-1.pub" }];

test("a list is opened for the key that has signed it, and for no other", () => {
  const text = signVouchedEks(EKS, owner.privateKey);
  assert.deepEqual(openVouchedEks(text, PIN, "eks.json"), {
    by: PIN,
    names: new Map([[sha256("an EK"), "server-1.pub"]]),
  });
  assert.throws(() => openVouchedEks(text, operatorPin(other.publicKey), "eks.json"), { code: "untrusted" });
  const changed = text.replace("server-1", "server-2");
  assert.throws(() => openVouchedEks(changed, PIN, "eks.json"), { code: "untrusted" });
  const { signature } = JSON.parse(signVouchedEks(EKS, other.privateKey));
  const mixed = JSON.stringify({ ...JSON.parse(text), signature });
  assert.throws(() => openVouchedEks(mixed, PIN, "eks.json"), { code: "untrusted" });
  assert.throws(() => openVouchedEks("{}", PIN, "eks.json"), { code: "malformed" });
});

test("a TPM without a certificate is proven when its owner vouches for its EK, and the verdict notes who does", async () => {
  const node = new TestNode(authority);
  const release = testRelease("1.0.0");
  const expectations = expectationsOf({ release, classConfig: Buffer.from("{}"), nodeConfig: Buffer.from("{}") });
  node.boot(testLogs(release, expectations.classConfigSha256, expectations.nodeConfigSha256));
  const { ekCertificate: _none, ...keys } = node.keys;
  await using agent = await TestAgent.start(node, release, { keys });
  const pem = keyObjectOf(parsePublic(keys.ekPublic)).export({ type: "spki", format: "pem" });
  const digest = ekDigestOfFile(keys.ekPublic, "ek.pub");
  assert.equal(ekDigestOfFile(Buffer.from(pem), "ek.pem"), digest);

  const prove = async (eks: typeof EKS) => {
    const { fleet } = await proveNodes([{ name: "worker", url: agent.url, expectations }], {
      ekRoots: parseEkRoots(authority.roots),
      candidates: [],
      maxAgeMs: 60_000,
      pinsPath: join(directory, "pins.json"),
      vouchedEks: openVouchedEks(signVouchedEks(eks, owner.privateKey), PIN, "eks.json"),
    });
    return fleet.nodes[0];
  };
  assert.equal((await prove(EKS))?.level, "reported");
  const vouched = await prove([{ sha256: digest, name: "server-1.pub" }]);
  assert.equal(vouched?.level, "proven");
  assert.deepEqual(vouched.notes, [`EK vouched for by ${PIN} (server-1.pub)`]);
});
