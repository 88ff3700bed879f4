/** What others may read of a repository: no password, and nothing of an answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { after, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { openRepository } from "../open-repository.ts";
import { NOW_MS, TestRepository } from "../test-repository.ts";
import { createTransport } from "./create-transport.ts";
import type { Transport } from "./transport.ts";

const servers: Server[] = [];
after(() => servers.forEach((server) => server.close()));

/** Gives the server's `HOST:PORT`. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has a port
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ONCE = { attempts: 1, stallMs: 10_000 };

async function read(transport: Transport): Promise<string> {
  const { body } = await transport.open("metadata/x.json", {});
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function failureOf(work: Promise<unknown>): Promise<AshlarError> {
  const error: unknown = await work.then(
    () => assert.fail("expected an error"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AshlarError, String(error));
  return error;
}

test("user and password are sent, and never shown", async () => {
  const seen: (string | undefined)[] = [];
  const host = await serve(({ headers, url }, response) => {
    seen.push(headers.authorization, url);
    response.end("good");
  });
  const transport = createTransport(`http://deploy:s3%40cret@${host}/a?token=t0ken#x`, ONCE);
  assert.equal(await read(transport), "good");
  assert.deepEqual(seen, [`Basic ${Buffer.from("deploy:s3@cret").toString("base64")}`, "/a/metadata/x.json"]);
  assert.equal(transport.url, `http://${host}/a/`);
});

for (const [name, listener] of [
  ["nobody answers", undefined],
  ["missing", (_, response) => void response.writeHead(404).end()],
  ["broken", (_, response) => void response.writeHead(500).end()],
  ["refused", (_, response) => void response.writeHead(401).end()],
  ["packed", (_, response) => void response.writeHead(200, { "content-encoding": "S3CRET" }).end()],
  ["redirect to nowhere", (_, response) => void response.writeHead(302).end()],
  ["redirect to a file", (_, response) => void response.writeHead(302, { location: "file:///S3CRET" }).end()],
  ["endless redirects", ({ url }, response) => void response.writeHead(302, { location: `${url}?t0ken` }).end()],
  [
    "cut short",
    (_, response) => void response.writeHead(200, { "content-length": "9" }).write("a", () => response.destroy()),
  ],
] as const satisfies readonly (readonly [string, RequestListener | undefined])[]) {
  test(`no password in a message: ${name}`, async () => {
    const host = listener === undefined ? "127.0.0.1:1" : await serve(listener);
    const error = await failureOf(read(createTransport(`http://deploy:s3cret@${host}/`, ONCE)));
    assert.ok(error.message.startsWith(`http://${host}/metadata/x.json: `), error.message);
    assert.doesNotMatch(`${error.message} ${error.hint}`, /s3cret|deploy|t0ken/iu);
  });
}

test("no password in the complaint about what is no URL", async () => {
  for (const url of [
    "ftp://deploy:s3cret@x/",
    "deploy:s3cret@x",
    "https://deploy:s3/cret@x/",
    "https://deploy:s3%cret@x/",
  ])
    assert.throws(
      () => createTransport(url),
      ({ code, message }: AshlarError) => code === "usage" && !/deploy|s3|cret/u.test(message),
    );
});

test("a redirect leads to the repository's own origin, or to one that is allowed, which gets no password", async () => {
  const seen: (string | undefined)[] = [];
  const other = await serve(({ headers }, response) => {
    seen.push(headers.authorization);
    response.end("internal");
  });
  const elsewhere = `http://someone:else@${other}/S3CRET?x=S3CRET`;
  const host = await serve(({ url }, response) => {
    if (url === "/own/metadata/x.json") response.writeHead(302, { location: "/own/there" }).end();
    else if (url === "/own/there") response.end("own");
    else response.writeHead(302, { location: elsewhere }).end();
  });
  assert.equal(await read(createTransport(`http://${host}/own/`, ONCE)), "own");
  const error = await failureOf(read(createTransport(`http://deploy:s3cret@${host}/`, ONCE)));
  assert.equal(error.code, "malformed");
  assert.match(error.message, new RegExp(`expected a redirect within http://${host}, found http://${other}$`, "u"));
  assert.deepEqual(seen, []);
  assert.equal(await read(createTransport(`http://deploy:s3cret@${host}/`, ONCE, [`http://${other}`])), "internal");
  assert.deepEqual(seen, [undefined]);
});

test("nothing of an answer that nobody has signed is in a message", async () => {
  const answers = [
    "AKIA-S3CRET",
    '{"signed":{"_type":"AKIA-S3CRET"},"signatures":[]}',
    '{"AKIA-S3CRET":1}',
    "[1,S3CRET",
  ];
  await withTemporaryDirectory(async (directory) => {
    const trustedRoot = await new TestRepository(`${directory}/repository`).sign();
    for (const answer of answers) {
      const url = `http://${await serve((_, response) => response.end(answer))}/`;
      const options = { url, trustedRoot, stateDirectory: `${directory}/state`, nowMs: NOW_MS, patience: ONCE };
      const error = await failureOf(openRepository(options));
      assert.doesNotMatch(`${error.message} ${error.hint}`, /AKIA|S3CRET/u, answer);
      assert.ok(["malformed", "untrusted"].includes(error.code), error.code);
    }
  });
});
