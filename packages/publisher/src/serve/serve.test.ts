import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { parseRange } from "./parse-range.ts";
import { serveRepository } from "./serve-repository.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-serve-"));
after(() => rmSync(directory, { recursive: true }));
const repository = join(directory, "repository");
mkdirSync(join(repository, "releases"), { recursive: true });
mkdirSync(join(repository, ".channels/stable-1"), { recursive: true });
const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
writeFileSync(join(repository, "releases/a b"), content);
writeFileSync(join(repository, "releases/empty"), "");
writeFileSync(join(repository, ".channels/stable-1/SHA256SUMS"), "sums");
writeFileSync(join(directory, "secret"), "secret");
symlinkSync(".channels/stable-1", join(repository, "stable"));
symlinkSync("../secret", join(repository, "way-out"));
spawnSync("mkfifo", [join(repository, "fifo")]);

const server = await serveRepository({ repository, host: "127.0.0.1", port: 0 });
after(async () => await server.close());
const { port } = new URL(server.url);

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer };

/** `path` is sent as it is: URL would take dots out of it. */
async function ask(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request({ host: "127.0.0.1", port, path, headers, method }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
    );
  });
  outgoing.on("error", reject).end();
  return await promise;
}

test("a whole file, a part, its end, and its headers alone", async () => {
  const whole = await ask("/releases/a%20b");
  assert.deepEqual([whole.status, whole.body.equals(content)], [200, true]);
  assert.equal(whole.headers["accept-ranges"], "bytes");
  assert.match(whole.headers["cache-control"] ?? "", /immutable/u);
  const part = await ask("/releases/a%20b", { range: "bytes=1000-200999" });
  assert.deepEqual([part.status, part.body.equals(content.subarray(1000, 201_000))], [206, true]);
  assert.equal(part.headers["content-range"], "bytes 1000-200999/300000");
  const end = await ask("/releases/a%20b", { range: "bytes=-5" });
  assert.deepEqual(end.body, content.subarray(-5));
  const head = await ask("/releases/a%20b", {}, "HEAD");
  assert.deepEqual([head.status, head.headers["content-length"], head.body.length], [200, "300000", 0]);
  assert.equal((await ask("/releases/empty")).headers["content-length"], "0");
  const sums = await ask("/stable/SHA256SUMS?x");
  assert.deepEqual([sums.body.toString(), sums.headers["cache-control"]], ["sums", "no-cache"]);
});

test("conditions: the same file is not sent again, and no part of another one", async () => {
  const { etag = "" } = (await ask("/releases/a%20b")).headers;
  assert.equal((await ask("/releases/a%20b", { "if-none-match": `"x", ${etag}` })).status, 304);
  assert.equal((await ask("/releases/a%20b", { "if-none-match": '"x"' })).status, 200);
  assert.equal((await ask("/releases/a%20b", { range: "bytes=0-0", "if-range": etag })).status, 206);
  for (const other of ['"x"', `W/${etag}`, "Sun, 22 Nov 2026 00:00:00 GMT"]) {
    assert.equal((await ask("/releases/a%20b", { range: "bytes=0-0", "if-range": other })).status, 200, other);
  }
  writeFileSync(join(repository, "new"), content);
  renameSync(join(repository, "new"), join(repository, "releases/a b"));
  assert.notEqual((await ask("/releases/a%20b")).headers.etag, etag);
});

test("ranges that cannot be had are 416; what is no single range gives the whole", async () => {
  const refused = await ask("/releases/a%20b", { range: "bytes=300000-" });
  assert.deepEqual([refused.status, refused.headers["content-range"]], [416, "bytes */300000"]);
  assert.equal((await ask("/releases/empty", { range: "bytes=0-" })).status, 416);
  assert.deepEqual(parseRange("bytes=0-", 10), { start: 0, end: 10 });
  assert.deepEqual(parseRange("bytes=9-100", 10), { start: 9, end: 10 });
  assert.deepEqual(parseRange("bytes=-100", 10), { start: 0, end: 10 });
  assert.equal(parseRange("bytes=10-10", 10), "unsatisfiable");
  assert.equal(parseRange("bytes=-0", 10), "unsatisfiable");
  assert.equal(parseRange(undefined, 10), "whole");
  for (const header of ["", "bytes=-", "bytes=2-1", "bytes=0-1,3-4", "items=0-1", "bytes=a-", "bytes= 0-1"]) {
    assert.equal(parseRange(header, 10), "whole", header);
  }
});

test("nothing outside the repository, nothing that begins with a dot, no directory, no FIFO", async () => {
  const paths = [
    "/../secret",
    "/releases/../../secret",
    "/%2e%2e/secret",
    "/releases%2f..%2f..%2fsecret",
    "/..%2fsecret",
    "//etc/passwd",
    "/way-out",
    "/.channels/stable-1/SHA256SUMS",
    "/",
    "/releases",
    "/releases/",
    "/fifo",
    "/missing",
    "/releases/a%20b%00",
    "/%zz",
    `/${"a".repeat(2000)}`,
    "*",
  ];
  for (const path of paths) assert.equal((await ask(path)).status, 404, path);
  assert.equal((await ask("/releases/empty", {}, "POST")).status, 405);
});

test("a file that becomes shorter while it is sent ends the connection", async () => {
  const path = join(repository, "releases/shrinking");
  writeFileSync(path, Buffer.alloc(64 * 1024 * 1024));
  const socket = connect(Number(port), "127.0.0.1");
  socket.write("GET /releases/shrinking HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "readable");
  truncateSync(path, 0);
  socket.resume();
  await once(socket, "close");
  assert.ok(socket.bytesRead < 64 * 1024 * 1024);
});

test("whoever breaks off a download leaves no file open", async () => {
  const path = join(repository, "releases/large");
  writeFileSync(path, Buffer.alloc(32 * 1024 * 1024));
  const pathOf = (fd: string): string => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // Closed meanwhile.
      return "";
    }
  };
  const openFiles = (): number => readdirSync("/proc/self/fd").filter((fd) => pathOf(fd) === path).length;
  for (let round = 0; round < 100; round++) {
    const socket = connect(Number(port), "127.0.0.1");
    socket.write("GET /releases/large HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(socket, "readable");
    if (round % 2 === 0) socket.resume();
    await sleep(round % 5);
    socket.resetAndDestroy();
    await once(socket, "close");
  }
  for (let wait = 0; openFiles() > 0 && wait < 100; wait++) await sleep(20);
  assert.equal(openFiles(), 0);
});

test("one connection serves many requests; one that sends nonsense is closed", async () => {
  const socket = connect(Number(port), "127.0.0.1");
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (text += chunk));
  for (let count = 1; count <= 3; count++) {
    socket.write("GET /stable/SHA256SUMS HTTP/1.1\r\nhost: x\r\n\r\n");
    while (text.split("\r\n\r\nsums").length <= count) await once(socket, "data");
  }
  socket.write("\0\0\0\r\n\r\n");
  await once(socket, "close");
  assert.match(text, /HTTP\/1\.1 400/u);
  const large = connect(Number(port), "127.0.0.1");
  large.on("error", () => undefined).write(`GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}`);
  large.resume();
  await once(large, "close");
});

test("a port that is taken, and a directory that is not there", async () => {
  const taken = serveRepository({ repository, host: "127.0.0.1", port: Number(port) });
  await assert.rejects(taken, (error) => error instanceof AshlarError && error.code === "conflict");
  const missing = serveRepository({ repository: join(directory, "no"), host: "127.0.0.1", port: 0 });
  await assert.rejects(missing, (error) => error instanceof AshlarError && error.code === "not-found");
});
