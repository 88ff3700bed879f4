import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AshlarError } from "@ashlar/base";
import { closeServer, listen } from "@ashlar/host";
import type { ClusterAccess, Login, Source } from "../access/kubeconfig.ts";
import { ApiClient } from "./api-client.ts";
import { ApiError } from "./api-error.ts";
import { listAll } from "./list-all.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-api-client-"));
after(() => rmSync(directory, { recursive: true }));
const signal = new AbortController().signal;
const nodes = { method: "GET", path: "/api/v1/nodes", what: "the nodes of the cluster" } as const;

/** Both are called alike: only the key tells them apart. */
const [own, other] = ["own", "other"].map((name) => {
  const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", key, "-out", certificate];
  const names = ["-subj", "/CN=kubernetes", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...names], { stdio: "ignore" });
  return { key: readFileSync(key), certificate: readFileSync(certificate) };
});
assert.ok(own !== undefined && other !== undefined);
const OWN: Source = { bytes: own.certificate };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** By default on any port. */
async function withServer(answer: Answer, work: (port: number) => Promise<void>, port = 0): Promise<void> {
  const server = createServer({ key: own?.key, cert: own?.certificate }, answer);
  await listen(server, { host: "127.0.0.1", port });
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  try {
    await work(address.port);
  } finally {
    server.closeAllConnections();
    await closeServer(server);
  }
}

function clientOf(port: number, login: Login = { kind: "none" }, authority: Source | "any" = OWN) {
  const server = new URL(`https://127.0.0.1:${port}`);
  const access: ClusterAccess = {
    context: "test",
    server,
    tlsServerName: undefined,
    authority: authority === "any" ? undefined : authority,
    login,
  };
  return new ApiClient(access);
}

function refusing(code: number, message: string): Answer {
  return (_, response) => response.writeHead(code).end(JSON.stringify({ kind: "Status", code, message }));
}

/** The error of one request for the nodes. */
async function failureOf(client: ApiClient): Promise<AshlarError> {
  try {
    await client.json(nodes, signal);
  } catch (error) {
    if (error instanceof AshlarError) return error;
    throw error;
  }
  throw new Error("nothing failed");
}

test("a login that is not taken and a right that is missing: who is to do what", async () => {
  await withServer(refusing(401, "Unauthorized"), async (port) => {
    using client = clientOf(port, { kind: "token", token: "secret" });
    const { code, message, hint } = await failureOf(client);
    assert.deepEqual(
      [code, message],
      ["privilege", "the nodes of the cluster: the API server answers 401: Unauthorized"],
    );
    assert.match(hint ?? "", /log in anew/u);
  });
  await withServer(refusing(403, 'nodes is forbidden: User "a" cannot list'), async (port) => {
    using client = clientOf(port);
    const { code, message, hint } = await failureOf(client);
    assert.deepEqual([code, hint?.includes("docs/guides/kubernetes.md")], ["privilege", true]);
    assert.match(message, /answers 403: nodes is forbidden: User "a" cannot list$/u);
  });
});

test("a kind that nobody has defined is told from an object that is not there; a server that is away from both", async () => {
  const plain: Answer = (_, response) => response.writeHead(404).end("404 page not found\n");
  await withServer(plain, async (port) => {
    using client = clientOf(port);
    const { code, hint } = await failureOf(client);
    assert.equal(code, "not-found");
    assert.match(hint ?? "", /does not know this kind: `kubectl apply -k deploy`/u);
  });
  const missing: Answer = (_, response) =>
    response.writeHead(404).end(JSON.stringify({ kind: "Status", code: 404, reason: "NotFound", message: "no such" }));
  let place = 0;
  await withServer(missing, async (port) => {
    place = port;
    using client = clientOf(port);
    const { code, hint } = await failureOf(client);
    assert.deepEqual([code, hint], ["not-found", undefined]);
  });
  using client = clientOf(place);
  const { code, hint } = await failureOf(client);
  assert.equal(code, "unavailable");
  assert.match(hint ?? "", /does it run, and is it reached from here\? The address is that of the context test$/u);
});

test("a server with another CA's certificate is not asked anything", async () => {
  let asked = 0;
  const count: Answer = (_, response) => {
    asked += 1;
    response.end("{}");
  };
  await withServer(count, async (port) => {
    for (const authority of [{ bytes: other.certificate }, "any"] as const) {
      using client = clientOf(port, { kind: "token", token: "secret" }, authority);
      const { code, message, hint } = await failureOf(client);
      assert.equal(code, "untrusted", message);
      assert.match(
        message,
        /^the nodes of the cluster: the API server 127\.0\.0\.1:\d+ has not proven to be the one of/u,
      );
      assert.doesNotMatch(message, /Node\.js/u);
      assert.match(hint ?? "", /certificate-authority/u);
    }
  });
  assert.equal(asked, 0);
});

test("a server that has just come back may refuse what it will allow; one that was there may not", async () => {
  let place = 0;
  await withServer(refusing(200, ""), async (port) => void (place = port));
  for (const code of [401, 403]) {
    using client = clientOf(place);
    const gone = await failureOf(client);
    assert.equal(gone.code, "unavailable");
    assert.match(gone.message, /no answer from the API server 127\.0\.0\.1:\d+: .*ECONNREFUSED/u);
    const askAgain = async (): Promise<void> => {
      const early = await failureOf(client);
      assert.deepEqual(
        [early instanceof ApiError && early.isTooEarly, early.code],
        [true, "unavailable"],
        early.message,
      );
      using another = clientOf(place);
      assert.equal((await failureOf(another)).code, "privilege");
    };
    await withServer(refusing(code, "forbidden"), askAgain, place);
  }
});

test("what is no answer of an API server is said to be none", async () => {
  await withServer(
    (_, response) => response.end("<html>log in</html>"),
    async (port) => {
      using client = clientOf(port);
      assert.equal((await failureOf(client)).code, "malformed");
    },
  );
});

test("a list is asked for in pages, each going on where the last has ended", async () => {
  const all = Array.from({ length: 1200 }, (_, index) => ({ index }));
  const asked: string[] = [];
  const page: Answer = ({ url }, response) => {
    const { searchParams } = new URL(url ?? "", "https://server");
    const [from, limit] = [Number(searchParams.get("continue") ?? 0), Number(searchParams.get("limit"))];
    asked.push(`${from} ${limit}`);
    const next = from + limit < all.length ? { continue: String(from + limit) } : {};
    response.end(JSON.stringify({ metadata: { resourceVersion: "7", ...next }, items: all.slice(from, from + limit) }));
  };
  await withServer(page, async (port) => {
    using client = clientOf(port);
    assert.deepEqual(await listAll(client, nodes, signal), { items: all, resourceVersion: "7" });
    assert.deepEqual(asked, ["0 500", "500 500", "1000 500"]);
    await assert.rejects(listAll(client, nodes, signal, 1199), { code: "limit" });
  });
});
