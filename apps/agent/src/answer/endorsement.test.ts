import assert from "node:assert/strict";
import { randomBytes, X509Certificate } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keyObjectOf, makeCredential, nameOf, parsePublic } from "@ashlar/formats";
import type { ActivateResponse, KeysResponse } from "@ashlar/protocol";
import { missingTools, startAgent, startTpm, type Answer, type TestAgent, type TestTpm } from "../test-agent.ts";

const skip = missingTools();
const decode = (text: string): Buffer => Buffer.from(text, "base64");

async function agentOf(tpm: TestTpm): Promise<TestAgent> {
  const runtimeDirectory = join(tpm.directory, `run-${randomBytes(4).toString("hex")}`);
  mkdirSync(runtimeDirectory);
  return await startAgent({ tcti: tpm.tcti, runtimeDirectory });
}

/** Gives a secret to the TPM and has it back, as an enrolment does. */
async function activate(agent: TestAgent, keys: KeysResponse): Promise<{ secret: Buffer; answer: Answer }> {
  const secret = randomBytes(32);
  const [ak, ekPublic] = [parsePublic(decode(keys.ak)), parsePublic(decode(keys.ekPublic ?? ""))];
  const made = makeCredential({ ekPublic, name: nameOf(ak), secret, random: randomBytes });
  const body = {
    credentialBlob: Buffer.from(made.credentialBlob).toString("base64"),
    encryptedSecret: Buffer.from(made.encryptedSecret).toString("base64"),
  };
  return { secret, answer: await agent.ask("POST", "/v1/activate", JSON.stringify(body)) };
}

async function enrol(tpm: TestTpm): Promise<KeysResponse> {
  await using agent = await agentOf(tpm);
  const { status, text } = await agent.ask("GET", "/v1/keys");
  assert.equal(status, 200, text);
  const keys = JSON.parse(text) as KeysResponse;
  tpm.tool("flushcontext", "--transient-object");
  const { secret, answer } = await activate(agent, keys);
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(decode((JSON.parse(answer.text) as ActivateResponse).secret), secret);
  return keys;
}

function moveCertificate(tpm: TestTpm, from: string, to?: string): void {
  const path = join(tpm.directory, "moved");
  tpm.tool("nvread", "-C", from, "-o", path, from);
  tpm.tool("nvundefine", "-C", "p", from);
  if (to !== undefined) store(tpm, to, path);
}

function store(tpm: TestTpm, index: string, path: string): void {
  const attributes = "ownerwrite|ownerread|authread";
  tpm.tool("nvdefine", "-C", "o", "-a", attributes, "-s", String(1400), index);
  tpm.tool("nvwrite", "-C", "o", "-i", path, index);
}

await test(
  "a TPM with a P-384 certificate alone is enrolled by that key, also when it has to be made",
  { skip },
  async () => {
    await using tpm = await startTpm(false);
    moveCertificate(tpm, "0x01c00002");
    for (const isThere of [true, false]) {
      if (!isThere) tpm.tool("evictcontrol", "-C", "o", "-c", "0x81010016");
      const keys = await enrol(tpm);
      const certified = new X509Certificate(decode(keys.ekCertificate ?? "")).publicKey;
      assert.ok(keyObjectOf(parsePublic(decode(keys.ekPublic ?? ""))).equals(certified));
      assert.equal(certified.asymmetricKeyDetails?.namedCurve, "secp384r1");
    }
  },
);

await test(
  "places for certificates that are empty, or were never written, hide none behind them",
  { skip },
  async () => {
    await using tpm = await startTpm(false);
    moveCertificate(tpm, "0x01c00002");
    tpm.tool("nvdefine", "-C", "o", "-a", "ownerwrite|ownerread|authread", "-s", "1400", "0x01c00002");
    const filling = join(tpm.directory, "filling");
    writeFileSync(filling, Buffer.alloc(1400, 0xff));
    store(tpm, "0x01c0000a", filling);
    tpm.tool("nvdefine", "-C", "o", "-a", "ownerwrite|ownerread|authread", "-s", "1400", "0x01c00100");
    const keys = await enrol(tpm);
    const certified = new X509Certificate(decode(keys.ekCertificate ?? "")).publicKey;
    assert.equal(certified.asymmetricKeyDetails?.namedCurve, "secp384r1");
    assert.equal(keys.ekIntermediates, undefined);
  },
);

await test("a TPM without any certificate gives its EK alone, and can be enrolled", { skip }, async () => {
  await using tpm = await startTpm(false);
  moveCertificate(tpm, "0x01c00002");
  moveCertificate(tpm, "0x01c00016");
  const keys = await enrol(tpm);
  assert.deepEqual(Object.keys(keys).toSorted(), ["ak", "ekPublic"]);
});

const KINDS = new Map([
  ["0x01c0000a", "P-256"],
  ["0x01c00012", "RSA-2048"],
  ["0x01c00014", "P-256"],
  ["0x01c0001c", "RSA-3072"],
  ["0x01c00018", "P-521"],
]);

await test(
  "the low range's P-256 template, and the high range's, give keys that can be enrolled",
  { skip },
  async () => {
    await using tpm = await startTpm(false);
    moveCertificate(tpm, "0x01c00016");
    for (const [from, to] of [
      ["0x01c00002", "0x01c0000a"],
      ["0x01c0000a", "0x01c00012"],
      ["0x01c00012", "0x01c00014"],
      ["0x01c00014", "0x01c0001c"],
      ["0x01c0001c", "0x01c00018"],
    ] as const) {
      const path = join(tpm.directory, "moved");
      tpm.tool("nvread", "-C", from, "-o", path, from);
      tpm.tool("nvundefine", "-C", from === "0x01c00002" ? "p" : "o", from);
      store(tpm, to, path);
      const keys = await enrol(tpm);
      const ek = parsePublic(decode(keys.ekPublic ?? ""));
      const kind = ek.type === "rsa" ? `RSA-${ek.modulus.length * 8}` : ek.curve;
      assert.equal(kind, KINDS.get(to));
      assert.ok(keys.ekCertificate);
    }
  },
);

await test("the certificates that a maker has put beside the EK's are handed along", { skip }, async () => {
  await using tpm = await startTpm(false);
  const path = join(tpm.directory, "chain");
  tpm.tool("nvread", "-C", "0x01c00016", "-o", path, "0x01c00016");
  store(tpm, "0x01c00100", path);
  const keys = await enrol(tpm);
  assert.equal(keys.ekIntermediates?.length, 1);
  assert.ok(new X509Certificate(decode(keys.ekIntermediates[0] ?? "")).raw.length > 0);
});

await test("a TPM whose owner has a password says so, and what to do", { skip }, async () => {
  await using tpm = await startTpm(false);
  tpm.tool("changeauth", "-c", "owner", "secret");
  await using agent = await agentOf(tpm);
  const { status, text } = await agent.ask("GET", "/v1/keys");
  assert.equal(status, 500);
  assert.match(text, /the TPM's owner has a password.*clear the TPM in the firmware's set-up/u);
  assert.doesNotMatch(text, /tpm2_|0x9a2|WARN|ERROR/u);
});
