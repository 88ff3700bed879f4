import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, test } from "node:test";
import { testRelease } from "@ashlar/protocol/test-fixtures";
import { parseAddress, parseToken, parseWebhooks } from "./watch-options.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-watch-command-"));
after(() => rmSync(directory, { recursive: true, force: true }));

test("where it listens", () => {
  const own = (text: string): unknown => parseAddress(text);
  assert.deepEqual(own("127.0.0.1:7490"), { host: "127.0.0.1", port: 7490, isOwn: true });
  assert.deepEqual(own("localhost:0"), { host: "127.0.0.1", port: 0, isOwn: true });
  assert.deepEqual(own("[::1]:1"), { host: "::1", port: 1, isOwn: true });
  assert.deepEqual(own("0.0.0.0:7490"), { host: "0.0.0.0", port: 7490, isOwn: false });
  assert.deepEqual(own("[::]:7490"), { host: "::", port: 7490, isOwn: false });
  for (const text of ["", "7490", "127.0.0.1", "example.org:1", "127.0.0.1:65536", "127.0.0.1:-1", "[::1]", "::1:1"])
    assert.throws(() => parseAddress(text), { code: "usage" }, text);
});

test("tokens and webhooks", () => {
  assert.equal(parseToken("0123456789abcdef\n", "token"), "0123456789abcdef");
  for (const text of ["", "short", "0123456789abcdef two", "0123456789abcdef\nmore"])
    assert.throws(() => parseToken(text, "token"), { code: "invalid" }, text);
  const text =
    "# who is told\n\nslack team https://hooks.example.org/secret\ncloudevents  pipeline http://127.0.0.1:1/\n";
  assert.deepEqual(parseWebhooks(text, "webhooks"), [
    { kind: "slack", name: "team", url: "https://hooks.example.org/secret" },
    { kind: "cloudevents", name: "pipeline", url: "http://127.0.0.1:1/" },
  ]);
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["teams a https://example.org/secret", /line 1: expected slack or cloudevents/u],
    ["slack a", /an URL/u],
    ["slack a ftp://example.org/secret", /https:\/\/ or http/u],
    ["slack A https://example.org/secret", /small letters/u],
    ["slack a https://example.org/secret more", /then a name and an URL/u],
    ["slack a https://example.org/secret\nslack a https://example.org/", /line 2: expected each name once/u],
    [Array.from({ length: 17 }, (_, index) => `slack a${index} https://example.org/secret`).join("\n"), /at most 16/u],
  ];
  for (const [line, message] of wrong) {
    assert.throws(
      () => parseWebhooks(line, "webhooks"),
      (error: Error) => message.test(error.message) && !error.message.includes("secret"),
      line,
    );
  }
});

const FLEET = join(directory, "fleet.yaml");
writeFileSync(join(directory, "manifest.json"), JSON.stringify(testRelease("1.0.0")));
writeFileSync(join(directory, "worker.ign"), '{"ignition":{"version":"3.4.0"}}');
writeFileSync(
  FLEET,
  `schema: ashlar.fleet/v1
pins: pins.json
classes:
  worker: {config: worker.ign, image: manifest.json}
nodes:
  - {name: node-1, url: "https://127.0.0.1:1", class: worker}
`,
);

type Started = { readonly child: ChildProcessByStdio<null, Readable, Readable>; readonly stderr: () => string };

function start(...more: readonly string[]): Started {
  const args = [
    "watch",
    "--fleet",
    FLEET,
    "--state",
    join(directory, "watch.sqlite"),
    "--listen",
    "127.0.0.1:0",
    "--json",
  ];
  const child = spawn(join(import.meta.dirname, "../../../../ashlar"), [...args, ...more], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, XDG_STATE_HOME: directory },
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
  });
  return { child, stderr: () => stderr };
}

async function urlOf({ child, stderr }: Started): Promise<string> {
  const ended = once(child, "exit").then(() => [stderr()]);
  const [line]: unknown[] = await Promise.race([once(child.stdout, "data"), ended]);
  const { schema, url }: { schema: string; url: string } = JSON.parse(String(line));
  assert.equal(schema, "ashlar.watch/v1");
  return url;
}

test("the command: asks, answers, is killed, goes on, and ends when it is told to", { timeout: 300_000 }, async () => {
  const killed = start();
  const url = await urlOf(killed);
  for (let text = ""; !text.includes('ashlar_nodes_asked_total{result="silent"} 1');)
    text = await (await fetch(`${url}/metrics`)).text();
  assert.match(await (await fetch(`${url}/metrics`)).text(), /^ashlar_nodes\{level="unknown"\} 1$/mu);
  const second = start();
  const [status]: unknown[] = await once(second.child, "exit");
  assert.match(second.stderr(), /no other process has open/u);
  assert.notEqual(status, 0);
  killed.child.kill("SIGKILL");
  await once(killed.child, "exit");

  const next = start();
  const health = `${await urlOf(next)}/healthz`;
  for (let isWell = false; !isWell;) isWell = (await fetch(health)).status === 200;
  next.child.kill("SIGTERM");
  assert.deepEqual(await once(next.child, "exit"), [0, null]);
});

test("what cannot be right is refused before anything begins", { timeout: 300_000 }, async () => {
  for (const [more, message] of [
    [["--listen", "0.0.0.0:0"], /expected --token-file/u],
    [["--interval", "60", "--max-age", "30"], /expected --max-age to be at least/u],
  ] as const) {
    const refused = start(...more);
    const [status]: unknown[] = await once(refused.child, "exit");
    assert.equal(status, 64);
    assert.match(refused.stderr(), message);
  }
});
