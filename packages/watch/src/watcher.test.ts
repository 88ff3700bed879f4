import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer } from "@ashlar/gateway";
import { expectationsOf, parseEkRoots } from "@ashlar/identity";
import { authorityExtensions, KeyedMachine, testCertificate } from "@ashlar/identity/test-fixtures";
import { testLogs, testNextBootReport, testRelease } from "@ashlar/protocol/test-fixtures";
import { TestAgent } from "@ashlar/verifier/test-fixtures";
import { evidenceInState } from "./evidence-in-state.ts";
import { serveWatcher } from "./serve.ts";
import { openState, type State } from "./state.ts";
import { Watcher, type Declared, type WatcherOptions } from "./watcher.ts";
import type { Webhook } from "./webhook.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-watch-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const HOUR = 3_600_000;
const issuer = testCertificate({ commonName: "Maker", key: "rsa", extensions: authorityExtensions() });
const RELEASE = testRelease("1.0.0");
const EXPECTATIONS = expectationsOf({ release: RELEASE, classConfig: Buffer.from("{}"), nodeConfig: new Uint8Array() });
const { classConfigSha256, nodeConfigSha256 } = EXPECTATIONS;
const RIGHT = testLogs(RELEASE, classConfigSha256, nodeConfigSha256);
const WRONG = testLogs(RELEASE, "c".repeat(64), nodeConfigSha256);
const NEXT_BOOT = testNextBootReport([[RELEASE, "ashlar_1.0.0.efi"]]);

const machines = { a: new KeyedMachine(issuer), b: new KeyedMachine(issuer) };
const pinsPath = join(directory, "pins.json");
for (const machine of Object.values(machines)) machine.boot(RIGHT);
const pins = Object.fromEntries(
  Object.entries(machines).map(([name, { pin, machineId }]) => {
    return [name, { ...pin, machineId, enrolledAt: new Date().toISOString(), resetCount: 0 }];
  }),
);
writeFileSync(pinsPath, JSON.stringify({ schema: "ashlar.pins/v2", pins }));

function declared(urls: Readonly<Record<string, string>>): Declared {
  const targets = Object.entries(urls).map(([name, url]) => ({ name, url, expectations: EXPECTATIONS }));
  return { targets, options: { ekRoots: parseEkRoots(issuer.pem), candidates: [], maxAgeMs: HOUR }, pinsPath };
}

/** Takes what is posted, once it is willing. */
class Receiver implements AsyncDisposable {
  readonly bodies: string[] = [];
  status = 200;
  readonly #server: Server = createServer((request, response) => void this.#take(request, response));

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await request.toArray()).join("");
    if (this.status === 200) this.bodies.push(body);
    response.writeHead(this.status).end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

type Running = {
  readonly watcher: Watcher;
  readonly server: RunningServer;
  readonly lines: string[];
  readonly state: State;
};

async function whileRunning(
  path: string,
  options: Pick<WatcherOptions, "declare"> & Partial<WatcherOptions> & { readonly token?: string },
  work: (running: Running) => Promise<void>,
): Promise<void> {
  using state = openState(path);
  const lines: string[] = [];
  const watcher = new Watcher({
    state,
    fleet: "fleet.yaml",
    intervalMs: HOUR,
    maxAgeMs: 3 * HOUR,
    webhooks: [],
    evidence: evidenceInState(state),
    onLine: (line) => void lines.push(line),
    ...options,
  });
  const ending = new AbortController();
  const server = await serveWatcher({ watcher, host: "127.0.0.1", port: 0, token: options.token });
  const done = watcher.run(ending.signal);
  try {
    await Promise.race([done, work({ watcher, server, lines, state })]);
  } finally {
    ending.abort();
    await Promise.allSettled([done]);
    await server.close();
  }
  await done;
}

async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, what);
    await sleep(20);
  }
}

async function get(
  server: RunningServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<[number, string]> {
  const response = await fetch(`${server.url}${path}`, { headers });
  return [response.status, await response.text()];
}

test("it proves nodes, tells of changes, and remembers both", async () => {
  const path = join(directory, "watch.sqlite");
  await using receiver = new Receiver();
  const url = await receiver.start();
  const webhooks: Webhook[] = [{ name: "events", kind: "cloudevents", url }];
  await using a = await TestAgent.start(machines.a, RELEASE, { nextBoot: NEXT_BOOT });
  const b = await TestAgent.start(machines.b, RELEASE, { nextBoot: NEXT_BOOT });
  const urls = { a: a.url, b: b.url, silent: "https://127.0.0.1:1" };
  const declare = async (): Promise<Declared> => Promise.resolve(declared(urls));
  const told = (): string[] =>
    receiver.bodies.map((body) => {
      const { subject, data }: { subject: string; data: { from: string | null; to: string } } = JSON.parse(body);
      return `${subject}: ${data.from} -> ${data.to}`;
    });
  await whileRunning(path, { declare, webhooks }, async ({ watcher, server, state }) => {
    await eventually("all were asked", () => state.nodes().every(({ askedAtMs }) => askedAtMs !== undefined));
    await eventually("the silent one is told, the right ones are no news", () => receiver.bodies.length > 0);
    assert.deepEqual(told(), ["silent: null -> unknown"]);
    assert.equal(watcher.illness(), undefined);
    assert.deepEqual(await get(server, "/healthz"), [200, "ok\n"]);
    await eventually("the board shows it", async () => {
      const [, text] = await get(server, "/v1/fleet");
      const { nodes }: { nodes: { name: string; level: string }[] } = JSON.parse(text);
      return nodes.map(({ name, level }) => `${name} ${level}`).join() === "a proven,b proven,silent unknown";
    });
    const [, metrics] = await get(server, "/metrics");
    assert.match(metrics, /^ashlar_nodes\{level="proven"\} 2$/mu);
    assert.match(metrics, /^ashlar_webhook_deliveries_total\{result="delivered"\} 1$/mu);
    const [, node] = await get(server, "/v1/nodes/a");
    const { evidence, measured }: { evidence: { name: string }[]; measured: { commandLine: string } } =
      JSON.parse(node);
    assert.ok(evidence.some(({ name }) => name === "quote.msg"));
    assert.match(measured.commandLine, /usrhash=/u);
    assert.equal((await get(server, "/v1/nodes/a/evidence/quote.msg"))[0], 200);
    assert.equal((await get(server, "/v1/nodes/c"))[0], 404);
    assert.equal((await fetch(`${server.url}/v1/fleet`, { method: "POST" })).status, 405);
  });

  // It was away for a while: nothing is asked before it is due, and what was known is still there.
  const before = a.asked.length;
  const SOON = { declare, webhooks, now: (): number => Date.now() + HOUR / 2 };
  await whileRunning(path, SOON, async ({ server, state }) => {
    await eventually("the silent one is asked again", () => (state.nodes()[2]?.silences ?? 0) > 1);
    assert.match((await get(server, "/metrics"))[1], /^ashlar_nodes\{level="proven"\} 2$/mu);
  });
  assert.equal(a.asked.length, before);

  // It was away for longer than verdicts hold, and one node has changed meanwhile, and one does not answer.
  machines.a.boot(WRONG);
  await b[Symbol.asyncDispose]();
  receiver.status = 503;
  const LATER = { declare, webhooks, now: (): number => Date.now() + 4 * HOUR };
  await whileRunning(path, LATER, async ({ state, lines }) => {
    await eventually("the changed node is found", () => state.nodes()[0]?.toldLevel === "mismatch");
    await eventually("the other one is unknown", () => state.nodes()[1]?.toldLevel === "unknown");
    assert.ok(
      lines.some((line) => line.startsWith("a: proven -> unknown (age of the evidence")),
      lines.join("\n"),
    );
    assert.ok(
      lines.some((line) => line.startsWith("a: unknown -> mismatch (PCR 13, class config")),
      lines.join("\n"),
    );
    await eventually("a message that did not arrive is told of", () =>
      lines.some((line) => line.includes("webhook events")),
    );
    assert.equal(
      lines.some((line) => line.includes(url)),
      false,
      "an URL is a secret",
    );
  });
  assert.deepEqual(told(), ["silent: null -> unknown"]);

  // What did not arrive is sent by the next one, in order.
  receiver.status = 200;
  const EVEN_LATER = { declare, webhooks, now: (): number => Date.now() + 5 * HOUR };
  await whileRunning(path, EVEN_LATER, async () => {
    await eventually("all has arrived", () => receiver.bodies.length >= 4);
  });
  assert.deepEqual(told().toSorted().slice(0, 4), [
    "a: proven -> unknown",
    "a: unknown -> mismatch",
    "b: proven -> unknown",
    "silent: null -> unknown",
  ]);
  assert.ok(told().indexOf("a: proven -> unknown") < told().indexOf("a: unknown -> mismatch"));
});

test("a declaration that cannot be read ends the start, and later leaves all as it was", async () => {
  const path = join(directory, "declare.sqlite");
  const broken = async (): Promise<Declared> => Promise.reject(new Error("no such fleet file"));
  await assert.rejects(
    whileRunning(path, { declare: broken }, async () => sleep(60_000, undefined, { ref: false })),
    /no such fleet file/u,
  );
});

test("who has no token sees nothing, and no page of another site does", async () => {
  const path = join(directory, "token.sqlite");
  const declare = async (): Promise<Declared> => Promise.resolve(declared({ silent: "https://127.0.0.1:1" }));
  await whileRunning(path, { declare, token: "a-token-that-is-long" }, async ({ server }) => {
    for (const place of ["/metrics", "/v1/fleet", "/v1/nodes/silent", "/nothing"]) {
      assert.equal((await get(server, place))[0], 401, place);
      assert.equal((await get(server, place, { authorization: "Bearer another" }))[0], 401, place);
    }
    const authorization = "Bearer a-token-that-is-long";
    assert.equal((await get(server, "/metrics", { authorization }))[0], 200);
    assert.equal((await get(server, "/healthz"))[0], 200);
  });
  await whileRunning(path, { declare }, async ({ server }) => {
    const { port } = new URL(server.url);
    const { request } = await import("node:http");
    const rebound = request({
      host: "127.0.0.1",
      port,
      path: "/v1/fleet",
      headers: { host: "evil.example.org" },
    }).end();
    const [response]: { statusCode: number; resume: () => void }[] = await once(rebound, "response");
    response?.resume();
    assert.equal(response?.statusCode, 421);
  });
});
