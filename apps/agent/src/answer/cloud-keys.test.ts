import assert from "node:assert/strict";
import { randomBytes, X509Certificate, type KeyObject } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keyObjectOf, parsePublic, verifyQuoteSignature } from "@ashlar/formats";
import { akExtensions, authorityExtensions, testCertificate } from "@ashlar/formats/test-certificates";
import type { EvidenceResponse, KeysResponse } from "@ashlar/protocol";
import { missingTools, startAgent, startTpm, type TestAgent, type TestTpm } from "../test-agent.ts";

const skip = missingTools();
const AZURES_ATTRIBUTES = "0x50472";
const cloud = testCertificate({ commonName: "Cloud CA 3", extensions: authorityExtensions() });
const certificateFor = (publicKey: KeyObject): Buffer =>
  testCertificate({ commonName: "vm", publicKey, issuer: cloud, extensions: akExtensions("2.23.133.8.3") }).der;
const decode = (text: string | undefined): Buffer => Buffer.from(text ?? "", "base64");

/** A TPM as a cloud ships it: no EK certificate. */
async function startCloudTpm(): Promise<TestTpm> {
  const tpm = await startTpm(false);
  for (const index of ["0x01c00002", "0x01c00016"]) tpm.tool("nvundefine", "-C", "p", index);
  return tpm;
}

function store(tpm: TestTpm, index: string, content: Buffer, attributes = "ownerwrite|ownerread|authread"): void {
  const path = join(tpm.directory, "content");
  writeFileSync(path, content);
  tpm.tool("nvdefine", "-C", "o", "-a", attributes, "-s", String(content.length), index);
  tpm.tool("nvwrite", "-C", "o", "-i", path, index);
}

/** Makes a primary key; its public part. */
function createPrimary(tpm: TestTpm, hierarchy: string, algorithm: string, ...more: readonly string[]): Buffer {
  const inside = (name: string): string => join(tpm.directory, name);
  const what = ["-C", hierarchy, "-G", algorithm, "-g", "sha256", ...more];
  tpm.tool("createprimary", ...what, "-c", inside("key.ctx"), "-f", "tss", "-o", inside("key.pub"));
  tpm.tool("flushcontext", "--transient-object");
  return readFileSync(inside("key.pub"));
}

function persist(tpm: TestTpm, handle: string): void {
  tpm.tool("evictcontrol", "-C", "o", "-c", join(tpm.directory, "key.ctx"), handle);
  tpm.tool("flushcontext", "--transient-object");
}

async function agentOf(tpm: TestTpm): Promise<TestAgent> {
  const runtimeDirectory = join(tpm.directory, `run-${randomBytes(4).toString("hex")}`);
  mkdirSync(runtimeDirectory);
  return await startAgent({ tcti: tpm.tcti, runtimeDirectory });
}

/** Asks for keys and evidence: both show the certified key, which has signed. */
async function assertCertified(tpm: TestTpm, ak: Buffer, certificate: Buffer): Promise<void> {
  await using agent = await agentOf(tpm);
  const { status, text } = await agent.ask("GET", "/v1/keys");
  assert.equal(status, 200, text);
  const keys = JSON.parse(text) as KeysResponse;
  assert.deepEqual(Object.keys(keys).toSorted(), ["ak", "akCertificate"]);
  assert.deepEqual(decode(keys.ak), ak);
  assert.deepEqual(decode(keys.akCertificate), certificate);
  tpm.tool("flushcontext", "--transient-object");
  const asked = JSON.stringify({ nonce: randomBytes(32).toString("base64") });
  const answer = await agent.ask("POST", "/v1/evidence", asked);
  assert.equal(answer.status, 200, answer.text);
  const evidence = JSON.parse(answer.text) as EvidenceResponse;
  assert.deepEqual(decode(evidence.akCertificate), certificate);
  assert.equal(evidence.ekCertificate ?? evidence.ekPublic, undefined);
  const { publicKey } = new X509Certificate(decode(evidence.akCertificate));
  const key = parsePublic(decode(evidence.ak));
  assert.ok(keyObjectOf(key).equals(publicKey));
  assert.ok(verifyQuoteSignature(key, decode(evidence.quote.message), decode(evidence.quote.signature)));
  const credential = { credentialBlob: Buffer.alloc(68).fill(0), encryptedSecret: Buffer.alloc(66) };
  credential.credentialBlob.writeUInt16BE(66);
  credential.encryptedSecret.writeUInt16BE(64);
  const body = Object.fromEntries(Object.entries(credential).map(([name, bytes]) => [name, bytes.toString("base64")]));
  const activated = await agent.ask("POST", "/v1/activate", JSON.stringify(body));
  assert.match(activated.text, /a cloud has certified this node's attestation key/u);
}

await test("Azure's shape: the persistent key quotes, with the certificate from its index", { skip }, async () => {
  await using tpm = await startCloudTpm();
  const ak = createPrimary(tpm, "e", "rsa2048:rsassa-sha256:null", "-a", AZURES_ATTRIBUTES);
  persist(tpm, "0x81000003");
  const certificate = certificateFor(keyObjectOf(parsePublic(ak)));
  // The index is larger than what is in it.
  store(tpm, "0x01c101d0", Buffer.concat([certificate, Buffer.alloc(700)]));
  await assertCertified(tpm, ak, certificate);
});

await test(
  "Google's shape: the key is made from the template, RSA or ECC, also where only the owner may read",
  { skip },
  async () => {
    for (const { algorithm, sizes, index, attributes } of [
      { algorithm: "rsa2048:rsassa-sha256:null", sizes: [256], index: 0x01c1_0000, attributes: "ownerwrite|ownerread" },
      {
        algorithm: "ecc256:ecdsa-sha256:null",
        sizes: [32, 32],
        index: 0x01c1_0002,
        attributes: "ownerwrite|ownerread|authread",
      },
    ]) {
      await using tpm = await startCloudTpm();
      const unique = join(tpm.directory, "unique");
      writeFileSync(
        unique,
        Buffer.concat(sizes.flatMap((size) => [Buffer.of(size & 0xff, size >> 8), Buffer.alloc(size)])),
      );
      const ak = createPrimary(tpm, "e", algorithm, "-a", "0x50072", "-u", unique);
      // The template is the public area with nothing where the key's numbers are.
      const template = Buffer.from(ak.subarray(2));
      const numbers = sizes.reduce((sum, size) => sum + size, 0) + 2 * (sizes.length - 1);
      template.fill(0, template.length - numbers);
      if (sizes.length === 2) template.writeUInt16BE(32, template.length - 34);
      assert.equal(template.length, sizes.length === 1 ? 280 : 88, "as in Google's TPMs");
      const certificate = certificateFor(keyObjectOf(parsePublic(ak)));
      store(tpm, `0x0${index.toString(16)}`, certificate, attributes);
      store(tpm, `0x0${(index + 1).toString(16)}`, template, attributes);
      await assertCertified(tpm, ak, certificate);
      // The next boot finds it where it was put.
      await assertCertified(tpm, ak, certificate);
    }
  },
);

await test(
  "a certificate without its key is said, with what to do; an EK certificate comes first",
  { skip },
  async () => {
    await using tpm = await startCloudTpm();
    const other = createPrimary(tpm, "e", "rsa2048:rsassa-sha256:null", "-a", AZURES_ATTRIBUTES);
    const askKeys = async (): Promise<{ status: number; text: string }> => {
      await using agent = await agentOf(tpm);
      const answer = await agent.ask("GET", "/v1/keys");
      tpm.tool("flushcontext", "--transient-object");
      return answer;
    };
    store(tpm, "0x01c101d0", certificateFor(keyObjectOf(parsePublic(other))));
    const missing = await askKeys();
    assert.equal(missing.status, 500);
    assert.match(missing.text, /the certificate at 0x01c101d0: no key is at 0x81000003.*restart the machine/u);
    createPrimary(tpm, "o", "rsa2048:rsassa-sha256:null", "-a", AZURES_ATTRIBUTES);
    persist(tpm, "0x81000003");
    assert.match((await askKeys()).text, /another key is at 0x81000003/u);
    store(tpm, "0x01c10000", certificateFor(keyObjectOf(parsePublic(other))));
    assert.match((await askKeys()).text, /the certificate at 0x01c10000: no template is at 0x01c10001/u);
    store(tpm, "0x01c10001", Buffer.from("no template"));
    assert.match((await askKeys()).text, /template \(TPMT_PUBLIC\) at offset 2: type: expected RSA or ECC/u);
    const ek = testCertificate({ commonName: "ek", key: "rsa", issuer: cloud }).der;
    store(tpm, "0x01c00002", ek);
    const first = await askKeys();
    assert.equal(first.status, 200, first.text);
    assert.deepEqual(Object.keys(JSON.parse(first.text)).toSorted(), ["ak", "ekCertificate", "ekPublic"]);
  },
);
