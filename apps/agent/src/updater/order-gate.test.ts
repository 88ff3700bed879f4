import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { operatorPin, type Order, signOrder } from "@ashlar/protocol";
import type { Routes } from "../shared/json-answers.ts";
import { routesForAgent, routesForRoot } from "./guard-routes.ts";
import { OrderGate } from "./order-gate.ts";

const operator = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PIN = operatorPin(operator.publicKey);
const REQUEST = '{"to":"1.1.0"}';
const MINUTES = 60_000;

/** A node's updater, as far as it is about who gives orders. */
class TestUpdater {
  readonly machineId: string;
  readonly bootId: string;
  readonly done: string[] = [];
  readonly gate: OrderGate;
  readonly #routes: Routes;
  nowMs = 0;

  constructor({ machineId = "0a".repeat(16), bootId = "boot-1" } = {}) {
    this.machineId = machineId;
    this.bootId = bootId;
    const value =
      <T>(given: T) =>
      async (): Promise<T> =>
        await Promise.resolve(given);
    const facts = { machineId: value(machineId), bootId: value(bootId), operators: value([PIN]) };
    this.gate = new OrderGate(facts, () => this.nowMs);
    const handle = async (body: string): Promise<object> => {
      this.done.push(body);
      return await Promise.resolve({});
    };
    const methods = { GET: { handle: value({}) }, POST: { handle } };
    this.#routes = new Map(["/v1/update", "/v1/reboot"].map((path) => [path, methods]));
  }

  async order(change: Partial<Order> = {}): Promise<string> {
    const { nonce, bootId } = await this.gate.issueNonce();
    const { machineId } = this;
    return signOrder(
      { machineId, bootId, nonce, path: "/v1/update", request: REQUEST, ...change },
      operator.privateKey,
    );
  }

  async post(body: string, path = "/v1/update"): Promise<unknown> {
    return await routesForAgent(this.#routes, this.gate).get(path)?.POST?.handle(body);
  }

  async postAsRoot(body: string): Promise<unknown> {
    return await routesForRoot(this.#routes).get("/v1/update")?.POST?.handle(body);
  }

  async read(): Promise<unknown> {
    return await routesForAgent(this.#routes, this.gate).get("/v1/update")?.GET?.handle("");
  }
}

test("a signed order is carried out, with the very request; root and readers need no proof", async () => {
  const updater = new TestUpdater();
  await updater.post(await updater.order());
  await updater.postAsRoot("{}");
  await updater.read();
  assert.deepEqual(updater.done, [REQUEST, "{}"]);
});

test("without a proof the agent's user is nobody", async () => {
  const updater = new TestUpdater();
  for (const body of ["", REQUEST]) {
    await assert.rejects(updater.post(body), { status: 403, code: "forbidden", message: /has signed/u });
  }
  assert.deepEqual(updater.done, []);
});

test("a replayed order is refused, in this boot and after it", async () => {
  const updater = new TestUpdater();
  const order = await updater.order();
  await updater.post(order);
  await assert.rejects(updater.post(order), { status: 409, message: /used already/u });
  // The updater ends when nobody needs it; the next one has given out other nonces.
  await assert.rejects(new TestUpdater().post(order), { status: 409, message: /never given out/u });
  const rebooted = new TestUpdater({ bootId: "boot-2" });
  await assert.rejects(rebooted.post(order), { status: 409, message: /boot boot-2, found one for boot-1/u });
  assert.deepEqual([updater.done, rebooted.done], [[REQUEST], []]);
});

test("an order for another node is refused, even over a nonce that this one gave out", async () => {
  const [meant, honest] = [new TestUpdater(), new TestUpdater({ machineId: "0b".repeat(16) })];
  const { nonce } = await honest.gate.issueNonce();
  await assert.rejects(honest.post(await meant.order({ nonce })), {
    status: 403,
    message: /machine ID 0b.*found one/u,
  });
  assert.deepEqual(honest.done, []);
});

test("an order is good for its own path, and its own bytes", async () => {
  const updater = new TestUpdater();
  await assert.rejects(updater.post(await updater.order(), "/v1/reboot"), {
    status: 403,
    message: /for \/v1\/reboot/u,
  });
  const changed = (await updater.order()).replace("1.1.0", "1.0.0");
  await assert.rejects(updater.post(changed), { status: 403, message: /this very order/u });
  assert.deepEqual(updater.done, []);
});

test("another's key gives no orders", async () => {
  const updater = new TestUpdater();
  const { nonce, bootId } = await updater.gate.issueNonce();
  const order = { machineId: updater.machineId, bootId, nonce, path: "/v1/update", request: REQUEST };
  const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  await assert.rejects(updater.post(signOrder(order, stranger)), { status: 403, message: /key of an operator/u });
  await assert.rejects(updater.post("[]"), { status: 400 });
  assert.deepEqual(updater.done, []);
});

test("a nonce that nobody uses ends, and there are never more than can be kept", async () => {
  const updater = new TestUpdater();
  const order = await updater.order();
  assert.equal(updater.gate.isAwaited, true);
  updater.nowMs = 5 * MINUTES;
  assert.equal(updater.gate.isAwaited, false);
  await assert.rejects(updater.post(order), { status: 409, message: /has ended/u });
  for (let count = 0; count < 1024; count++) await updater.gate.issueNonce();
  await assert.rejects(updater.gate.issueNonce(), { code: "limit" });
  updater.nowMs += 5 * MINUTES;
  await updater.post(await updater.order());
});
