import assert from "node:assert/strict";
import { X509Certificate, createHash, createPublicKey, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "node:tls";
import {
  keyObjectOf,
  makeCredential,
  nameOf,
  parseAttest,
  parseFirmwareLog,
  parsePublic,
  parseUserspaceLog,
  replayPcrs,
  verifyQuoteSignature,
} from "@ashlar/formats";
import { type ActivateResponse, type EvidenceResponse, type KeysResponse, qualifyingData } from "@ashlar/protocol";
import { quote as quotePcrs } from "./quote.ts";
import { tpmPrograms } from "./tpm-programs.ts";
import { FIRMWARE_LOG, type TestTpm, USERSPACE_LOG, missingTools, startAgent, startTpm } from "../test-agent.ts";

const skip = missingTools();

function decode(text: string): Buffer {
  return Buffer.from(text, "base64");
}

function runtimeDirectory(tpm: TestTpm, name = "run"): string {
  const path = join(tpm.directory, name);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Puts the TPM into the state of the node whose logs the agent hands out. */
function extendLogs(tpm: TestTpm): void {
  const NO_ACTION = 3;
  const firmware = parseFirmwareLog(readFileSync(FIRMWARE_LOG)).events.filter(({ type }) => type !== NO_ACTION);
  const userspace = parseUserspaceLog(readFileSync(USERSPACE_LOG)).events;
  const extensions = [...firmware, ...userspace].flatMap(({ pcr, digests }) =>
    digests.sha256 === undefined ? [] : [`${pcr}:sha256=${Buffer.from(digests.sha256).toString("hex")}`],
  );
  tpm.tool("pcrextend", ...extensions);
}

await test("a node's keys are enrolled and its evidence verifies", { skip }, async (t) => {
  await using tpm = await startTpm();
  extendLogs(tpm);
  const verityStatusSocket = join(tpm.directory, "verity.sock");
  const rootHash = "ab".repeat(32);
  await using verity = createServer((socket) =>
    socket.end(`0 99 verity 1 253:3 253:4 4096 4096 12 1 sha256 ${rootHash} -\n0 99 verity V\n`),
  ).listen(verityStatusSocket);
  await once(verity, "listening");
  const options = { tcti: tpm.tcti, runtimeDirectory: runtimeDirectory(tpm), verityStatusSocket };
  await using agent = await startAgent(options);

  const keysAnswer = await agent.ask("GET", "/v1/keys");
  assert.equal(keysAnswer.status, 200, keysAnswer.text);
  const keys = JSON.parse(keysAnswer.text) as KeysResponse;
  const ak = parsePublic(decode(keys.ak));
  const ek = parsePublic(decode(keys.ekPublic ?? ""));
  // The kernel's resource manager does this when a program ends; here there is none.
  tpm.tool("flushcontext", "--transient-object");

  await t.test("the keys are an attestation key and the certified endorsement key", () => {
    assert.equal(ak.attributes, 0x0005_0072);
    const certificate = new X509Certificate(decode(keys.ekCertificate ?? ""));
    assert.ok(keyObjectOf(ek).equals(certificate.publicKey));
    assert.ok(certificate.verify(new X509Certificate(readFileSync(join(tpm.directory, "issuer.pem"))).publicKey));
  });

  await t.test("the TPM gives back the secret of a credential made for it", async () => {
    const secret = randomBytes(32);
    const credential = makeCredential({ ekPublic: ek, name: nameOf(ak), secret, random: randomBytes });
    const body = {
      credentialBlob: Buffer.from(credential.credentialBlob).toString("base64"),
      encryptedSecret: Buffer.from(credential.encryptedSecret).toString("base64"),
    };
    const answer = await agent.ask("POST", "/v1/activate", JSON.stringify(body));
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(decode((JSON.parse(answer.text) as ActivateResponse).secret), secret);
  });

  await t.test("credentials for another key or damaged ones are refused", async () => {
    const name = Buffer.from(nameOf(ak));
    const good = makeCredential({ ekPublic: ek, name, secret: randomBytes(32), random: randomBytes });
    const otherName = Buffer.from(name.map((byte, index) => (index < 2 ? byte : byte ^ 1)));
    const other = makeCredential({ ekPublic: ek, name: otherName, secret: randomBytes(32), random: randomBytes });
    const damaged = Buffer.from(good.encryptedSecret).fill(0xff, 100, 120);
    for (const [credentialBlob, encryptedSecret] of [
      [other.credentialBlob, other.encryptedSecret],
      [good.credentialBlob, damaged],
      [Buffer.from("000400020102", "hex"), good.encryptedSecret],
    ] as const) {
      const body = {
        credentialBlob: Buffer.from(credentialBlob).toString("base64"),
        encryptedSecret: Buffer.from(encryptedSecret).toString("base64"),
      };
      const answer = await agent.ask("POST", "/v1/activate", JSON.stringify(body));
      assert.equal(answer.status, 400, answer.text);
      assert.match(answer.text, /"code":"untrusted"/u);
    }
    assert.equal(tpm.tool("getcap", "handles-loaded-session").trim(), "", "a session was left in the TPM");
  });

  const nonce = randomBytes(32);
  const answer = await agent.ask("POST", "/v1/evidence", JSON.stringify({ nonce: nonce.toString("base64") }));
  assert.equal(answer.status, 200, answer.text);
  const evidence = JSON.parse(answer.text) as EvidenceResponse;
  const message = decode(evidence.quote.message);

  await t.test("the quote is by the attestation key, over the nonce and the channel's key", async () => {
    assert.equal(evidence.ak, keys.ak);
    assert.ok(verifyQuoteSignature(ak, message, decode(evidence.quote.signature)));
    const attest = parseAttest(message);
    const expected = qualifyingData(nonce, decode(evidence.tlsPublicKey));
    assert.deepEqual(Buffer.from(attest.extraData), expected);
    assert.deepEqual(attest.selections, [{ hash: "sha256", pcrs: Array.from({ length: 16 }, (_, pcr) => pcr) }]);
    const socket = connect({ port: agent.port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const peer = socket.getPeerX509Certificate();
    socket.destroy();
    assert.deepEqual(peer?.publicKey.export({ type: "spki", format: "der" }), decode(evidence.tlsPublicKey));
  });

  await t.test("tpm2_checkquote agrees", () => {
    const file = (name: string, bytes: Uint8Array | string): string => {
      const path = join(tpm.directory, name);
      writeFileSync(path, bytes);
      return path;
    };
    const data = qualifyingData(nonce, decode(evidence.tlsPublicKey)).toString("hex");
    const key = file("ak.pem", keyObjectOf(ak).export({ type: "spki", format: "pem" }));
    const signature = file("quote.sig", decode(evidence.quote.signature));
    tpm.tool("checkquote", "-u", key, "-m", file("quote.msg", message), "-s", signature, "-g", "sha256", "-q", data);
  });

  await t.test("the PCR values are those of the quote, and the logs replay to them", () => {
    const values = Object.values(evidence.pcrs ?? {}).map((value) => Buffer.from(value, "hex"));
    assert.equal(values.length, 16);
    const digest = createHash("sha256").update(Buffer.concat(values)).digest();
    assert.deepEqual(Buffer.from(parseAttest(message).pcrDigest), digest);
    const firmware = parseFirmwareLog(decode(evidence.firmwareLog));
    const replayed = replayPcrs(firmware, parseUserspaceLog(decode(evidence.userspaceLog)), "sha256");
    for (const [pcr, value] of Object.entries(evidence.pcrs ?? {})) {
      assert.equal(Buffer.from(replayed.get(Number(pcr)) ?? new Uint8Array(32)).toString("hex"), value, `PCR ${pcr}`);
    }
  });

  await t.test("what software reports comes along", () => {
    assert.deepEqual(evidence.verity, { device: "usr", status: "V", rootHash });
    assert.equal(evidence.commandLine, readFileSync("/proc/cmdline", "utf8"));
    assert.equal(evidence.osRelease, readFileSync("/etc/os-release", "utf8"));
  });

  await t.test("asking too often is refused for a while", async () => {
    const body = JSON.stringify({ nonce: nonce.toString("base64") });
    const answers = await Promise.all(
      Array.from({ length: 12 }, async () => await agent.ask("POST", "/v1/evidence", body)),
    );
    const busy = answers.filter(({ status }) => status === 503);
    const served = answers.filter(({ status }) => status === 200).length;
    // As many as may wait; on a slow machine the first is done before the last asks.
    assert.ok(
      served >= 8 && busy.length > 0 && served + busy.length === 12,
      `${served} served, ${busy.length} refused`,
    );
    assert.match(String(busy[0]?.headers["retry-after"]), /^\d+$/u);
    // The allowance grows again with time, two a second: where a TPM takes longer for one, nothing has to be refused.
    const rest: number[] = [];
    const startedMs = performance.now();
    for (let round = 1; round <= 10 && !rest.includes(429); round++) {
      const asked = Array.from({ length: 50 }, async () => (await agent.ask("GET", "/v1/keys")).status);
      rest.push(...(await Promise.all(asked)));
    }
    const perSecond = (rest.filter((status) => status === 200).length * 1000) / (performance.now() - startedMs);
    assert.ok(rest.includes(429) || perSecond < 2, `${perSecond} a second: ${rest.join(" ")}`);
  });
});

await test(
  "a restarted agent has the same keys, also in the next boot; only the TLS key changes then",
  { skip },
  async () => {
    await using tpm = await startTpm();
    const askKeys = async (directory: string): Promise<{ keys: string; tlsKey: string }> => {
      await using agent = await startAgent({ tcti: tpm.tcti, runtimeDirectory: runtimeDirectory(tpm, directory) });
      const { status, text } = await agent.ask("GET", "/v1/keys");
      assert.equal(status, 200, text);
      const pem = readFileSync(join(runtimeDirectory(tpm, directory), "tls.pem"), "utf8");
      return { keys: text, tlsKey: createPublicKey(pem).export({ type: "spki", format: "pem" }) };
    };
    const first = await askKeys("boot-1");
    assert.deepEqual(await askKeys("boot-1"), first);
    const next = await askKeys("boot-2");
    assert.equal(next.keys, first.keys);
    assert.notEqual(next.tlsKey, first.tlsKey);
  },
);

for (const [banks, selections, sizeBytes] of [
  ["sha384", "sha256: 0, sha384: 16", 16 * 48],
  ["sha256,sha384", "sha256: 16, sha384: 16", 16 * (32 + 48)],
  ["sha1,sha256", "sha256: 16", 16 * 32],
] as const) {
  await test(`with PCR banks ${banks} the quote has ${selections}`, { skip }, async () => {
    await using tpm = await startTpm(true, banks);
    const on = banks.split(",").map((bank) => `${bank}=${createHash(bank).update("one").digest("hex")}`);
    tpm.tool("pcrextend", `9:${on.join(",")}`);
    await using agent = await startAgent({ tcti: tpm.tcti, runtimeDirectory: runtimeDirectory(tpm) });
    const nonce = randomBytes(32).toString("base64");
    const answer = await agent.ask("POST", "/v1/evidence", JSON.stringify({ nonce }));
    assert.equal(answer.status, 200, answer.text);
    const { ak, quote, pcrs = {}, sha384Pcrs = {} } = JSON.parse(answer.text) as EvidenceResponse;
    const message = decode(quote.message);
    assert.ok(verifyQuoteSignature(parsePublic(decode(ak)), message, decode(quote.signature)));
    const attest = parseAttest(message);
    assert.equal(attest.selections.map(({ hash, pcrs: each }) => `${hash}: ${each.length}`).join(", "), selections);
    const values = Buffer.from([...Object.values(pcrs), ...Object.values(sha384Pcrs)].join(""), "hex");
    assert.equal(values.length, sizeBytes);
    assert.deepEqual(Buffer.from(attest.pcrDigest), createHash("sha256").update(values).digest());
  });
}

await test("a TPM with SHA-1 alone is refused, and it is said what to do", { skip }, async () => {
  await using tpm = await startTpm(true, "sha1");
  const expected = {
    code: "failed",
    message: /expected PCR bank sha256 or sha384 to be on, found neither/u,
    hint: /firmware's set-up/u,
  };
  await assert.rejects(quotePcrs(tpmPrograms(tpm.tcti), "0x81000000", Buffer.alloc(32)), expected);
});

await test("power cuts, which a TPM takes for wrong passwords, do not lock the node's key", { skip }, async () => {
  await using tpm = await startTpm();
  // More than the three that swtpm tolerates.
  for (let boot = 1; boot <= 5; boot++) {
    extendLogs(tpm);
    await using agent = await startAgent({ tcti: tpm.tcti, runtimeDirectory: runtimeDirectory(tpm, `boot-${boot}`) });
    const body = JSON.stringify({ nonce: randomBytes(32).toString("base64") });
    const { status, text } = await agent.ask("POST", "/v1/evidence", body);
    assert.equal(status, 200, `boot ${boot}: ${text}`);
    await tpm.cutPower();
  }
});

await test("a missing endorsement key is made again from its seed; another's key is not used", { skip }, async () => {
  await using tpm = await startTpm();
  tpm.tool("evictcontrol", "-C", "o", "-c", "0x81010001");
  await using agent = await startAgent({ tcti: tpm.tcti, runtimeDirectory: runtimeDirectory(tpm) });
  const { status, text } = await agent.ask("GET", "/v1/keys");
  assert.equal(status, 200, text);
  const keys = JSON.parse(text) as KeysResponse;
  const certified = new X509Certificate(decode(keys.ekCertificate ?? "")).publicKey;
  assert.ok(keyObjectOf(parsePublic(decode(keys.ekPublic ?? ""))).equals(certified));

  tpm.tool("flushcontext", "--transient-object");
  tpm.tool("evictcontrol", "-C", "o", "-c", "0x8100a510");
  tpm.tool("createprimary", "-C", "o", "-G", "ecc", "-c", join(tpm.directory, "other.ctx"));
  tpm.tool("evictcontrol", "-C", "o", "-c", join(tpm.directory, "other.ctx"), "0x8100a510");
  await using second = await startAgent({ tcti: tpm.tcti, runtimeDirectory: runtimeDirectory(tpm, "next") });
  const refused = await second.ask("GET", "/v1/keys");
  assert.equal(refused.status, 500);
  assert.doesNotMatch(refused.text, /tpm2_|0x8100a510|\.ts/u, "the outside learns no details");
});

await test("without connections it ends with status 0", async () => {
  const directory = mkdtempSync(join(tmpdir(), "ashlar-agent-"));
  await using agent = await startAgent({ tcti: "none", runtimeDirectory: directory, idleSeconds: 1 });
  assert.equal((await agent.ask("GET", "/v1/nothing")).status, 404);
  agent.disconnect();
  const [status] = await once(agent.process, "exit");
  assert.equal(status, 0);
  rmSync(directory, { recursive: true });
});
