import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { nextBootQualifyingData, operatorPin, signOrder } from "@ashlar/protocol";
import { createHttpsServer } from "../answer/https-server.ts";
import { SerialQueue } from "../shared/serial-queue.ts";
import { startSocketService } from "../shared/test-socket-service.ts";
import { loadTlsIdentity } from "../answer/tls-identity.ts";
import { TokenBucket } from "../answer/token-bucket.ts";
import { createForwarding } from "../answer/update-forwarding.ts";
import { ask } from "../commands/node-commands.ts";
import { makeTestRelease, makeTestUpdateNode, type TestUpdateNode } from "./test-update-node.ts";
import { askUpdater } from "../shared/updater-client.ts";

const V10 = makeTestRelease("1.0.0");
const V11 = makeTestRelease("1.1.0");

const MACHINE_ID = "5a".repeat(16);

/** The updater as systemd starts it, but on a test's directory. */
async function startUpdater({ root, paths }: TestUpdateNode, idleTimeoutMs = 60_000): Promise<ChildProcess> {
  const sockets = { agent: paths.updaterAgentSocket, root: paths.updaterSocket };
  const service = { module: "updater/run-updater.ts", run: "runUpdater", root };
  return await startSocketService({ ...service, sockets, idleTimeoutMs });
}

await test("the updater answers on its socket, takes one order at a time, and keeps why one failed", async (t) => {
  using node = makeTestUpdateNode(V11, V10);
  const updater = await startUpdater(node);
  t.after(() => updater.kill("SIGKILL"));
  const status = await ask(node.paths, "GET", "/v1/update");
  assert.deepEqual([status.version, status.phase, status.staged, status.lastError], ["1.1.0", "idle", null, null]);

  await assert.rejects(ask(node.paths, "POST", "/v1/update", '{"to":"../x"}'), { code: "failed", message: /\$\.to/u });
  await ask(node.paths, "POST", "/v1/update", '{"to":"1.2.0"}');
  let after = await ask(node.paths, "GET", "/v1/update");
  while (after.phase !== "idle") after = await ask(node.paths, "GET", "/v1/update");
  assert.equal(after.lastError?.code, "not-found");
  assert.match(after.lastError?.message ?? "", /repository/u);
  assert.match(after.lastError?.hint ?? "", /update\.yaml/u);

  await ask(node.paths, "POST", "/v1/extensions/update", '{"component":"none"}');
  let extensions = await ask(node.paths, "GET", "/v1/extensions");
  while (extensions.phase !== "idle") extensions = await ask(node.paths, "GET", "/v1/extensions");
  assert.equal(extensions.lastError?.code, "not-found");

  await ask(node.paths, "POST", "/v1/rollback", "");
  after = await ask(node.paths, "GET", "/v1/update");
  while (after.phase !== "idle") after = await ask(node.paths, "GET", "/v1/update");
  assert.deepEqual([after.staged, after.rebootNeeded, after.lastError], ["1.0.0", true, null]);
});

await test("over HTTPS anybody may read; orders need an operator's signature", async (t) => {
  using node = makeTestUpdateNode(V11, V10);
  const updater = await startUpdater(node);
  t.after(() => updater.kill("SIGKILL"));
  const operator = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pin = operatorPin(operator.publicKey);
  mkdirSync(join(node.root, "etc/ashlar"), { recursive: true });
  writeFileSync(join(node.root, "etc/ashlar/update.yaml"), `operators:\n  - ${pin}\n`);
  writeFileSync(node.paths.machineId, `${MACHINE_ID}\n`);

  const identity = await loadTlsIdentity(join(node.root, "tls.pem"));
  const bucket = (): TokenBucket => new TokenBucket(100, 1000, () => performance.now());
  let quoted: Uint8Array = new Uint8Array();
  const routes = createForwarding({
    askUpdater: async (asked) => await askUpdater(node.paths.updaterAgentSocket, asked),
    tlsPublicKey: identity.publicKey,
    quote: async (data) => {
      quoted = data;
      return await Promise.resolve({ message: Buffer.from("message"), signature: Buffer.from("signature") });
    },
    tpm: { queue: new SerialQueue(4), requests: bucket() },
    requests: bucket(),
    reports: new TokenBucket(1, 100_000, () => performance.now()),
  });
  const server = createHttpsServer(identity, routes).listen(0, "127.0.0.1");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
  const { port } = server.address() as AddressInfo;
  const askAgent = async (method: string, path: string, body = ""): Promise<[number, Answer]> => {
    const options = { host: "127.0.0.1", port, method, path, agent: false, rejectUnauthorized: false } as const;
    const outgoing = request(options).end(body);
    const [response] = await once(outgoing, "response");
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
    return [response.statusCode, JSON.parse(text) as Answer];
  };

  const [status, answer] = await askAgent("GET", "/v1/update");
  assert.deepEqual([status, answer.version], [200, "1.1.0"]);
  assert.equal((await askAgent("GET", "/v1/rollback"))[0], 405);
  const order = async (path: string, wish: string, key: KeyObject, other = {}): Promise<[number, Answer]> => {
    const { nonce = "", bootId = "" } = (await askAgent("POST", "/v1/order-nonce"))[1];
    const text = signOrder({ machineId: MACHINE_ID, bootId, nonce, path, request: wish, ...other }, key);
    return await askAgent("POST", path, text);
  };
  for (const path of ["/v1/update", "/v1/rollback", "/v1/reboot", "/v1/extensions/update", "/v1/extensions/debug"]) {
    const plain = await askAgent("POST", path, "{}");
    const unknown = await order(path, "{}", stranger.privateKey);
    for (const [code, { error }] of [plain, unknown]) assert.deepEqual([code, error?.code], [403, "forbidden"]);
    assert.match(plain[1].error?.hint ?? "", /--operator-key/u);
    assert.match(unknown[1].error?.hint ?? "", /operators/u);
  }
  assert.equal((await order("/v1/reboot", "{}", operator.privateKey, { bootId: "another-boot" }))[0], 409);
  // What only this node's own units ask for is not passed on.
  assert.equal((await order("/v1/extensions/maintain", '{"updates":true}', operator.privateKey))[0], 404);
  const [accepted, begun] = await order("/v1/rollback", "{}", operator.privateKey);
  assert.deepEqual([accepted, begun.version], [202, "1.1.0"]);
  const [malformed] = await order("/v1/update", '{"to":5}', operator.privateKey);
  assert.equal(malformed, 400);

  // The agent's user at the updater's door, without an order to pass on: whatever it says of itself is not heard.
  const post = { method: "POST", path: "/v1/update", body: '{"to":"9.9.9"}', maxBytes: 10_000 } as const;
  const refused = await askUpdater(node.paths.updaterAgentSocket, post);
  assert.equal(refused.status, 403);
  // While it is being decided, nothing is said about the next boot.
  for (let phase: string | undefined; phase !== "idle";) phase = (await askAgent("GET", "/v1/update"))[1].phase;

  const nonce = Buffer.alloc(32, 7);
  const [, evidence] = await askAgent("POST", "/v1/next-boot", JSON.stringify({ nonce: nonce.toString("base64") }));
  assert.deepEqual(quoted, nextBootQualifyingData(nonce, identity.publicKey, evidence.report ?? ""));
  const report = JSON.parse(evidence.report ?? "") as {
    espFiles: unknown[];
    slots: { label: string; rootHash: string }[];
  };
  assert.equal(report.espFiles.length, 2);
  assert.deepEqual(
    report.slots.map(({ label, rootHash }) => [label, rootHash]),
    [
      ["ashlar_1.1.0", V11.rootHash],
      ["ashlar_1.0.0", V10.rootHash],
    ],
  );
  assert.equal((await askAgent("POST", "/v1/next-boot", JSON.stringify({ nonce: nonce.toString("base64") })))[0], 429);

  updater.kill("SIGKILL");
  await once(updater, "exit");
});

type Answer = {
  readonly nonce?: string;
  readonly bootId?: string;
  readonly version?: string;
  readonly phase?: string;
  readonly report?: string;
  readonly error?: { readonly code: string; readonly hint?: string };
};

await test("without work and connections the updater ends with status 0", async () => {
  using node = makeTestUpdateNode(V10);
  // The power went when this release had been installed, and it runs now.
  const ready = join(node.paths.state, "ready");
  mkdirSync(ready);
  writeFileSync(join(ready, "ashlar_1.0.0.efi"), "");
  const updater = await startUpdater(node, 300);
  await ask(node.paths, "GET", "/v1/update");
  assert.equal(existsSync(ready), false);
  const [status] = await once(updater, "exit");
  assert.equal(status, 0);
});
