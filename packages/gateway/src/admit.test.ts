import assert from "node:assert/strict";
import { test } from "node:test";
import { refuse, type Asked } from "./admit.ts";

const HOSTS: ReadonlySet<string> = new Set(["127.0.0.1:7480", "localhost:7480"]);
const RIGHT: Asked = {
  method: "GET",
  path: "/v1/fleet",
  host: "127.0.0.1:7480",
  origin: undefined,
  authorization: "Bearer secret",
  token: undefined,
};

test("who is answered, and who is not", () => {
  const cases: readonly (readonly [Partial<Asked>, number | undefined])[] = [
    [{}, undefined],
    [{ host: "LOCALHOST:7480" }, undefined],
    [{ method: "HEAD" }, undefined],
    [{ authorization: undefined, token: "secret" }, undefined],
    [{ origin: "http://127.0.0.1:7480" }, undefined],
    // A name of somebody else's that leads here.
    [{ host: "evil.example:7480" }, 421],
    [{ host: "127.0.0.1" }, 421],
    [{ host: "127.0.0.1:7481" }, 421],
    [{ host: undefined }, 421],
    [{ host: "evil.example", authorization: undefined }, 421],
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "https://127.0.0.1:7480" }, 403],
    [{ method: "POST" }, 405],
    [{ method: "OPTIONS", authorization: undefined }, 405],
    [{ authorization: undefined }, 401],
    [{ authorization: "Bearer wrong" }, 401],
    [{ authorization: "Bearer " }, 401],
    [{ authorization: "Basic secret" }, 401],
    // A wrong one is not made right by another.
    [{ authorization: "Bearer wrong", token: "secret" }, 401],
    [{ authorization: undefined, token: "" }, 401],
    [{ path: "/", authorization: undefined }, 401],
    // Scripts and styles hold nothing of anybody's.
    [{ path: "/page.js", authorization: undefined }, undefined],
    [{ path: "/page.json", authorization: undefined }, 401],
    [{ path: "/page.js/../v1/fleet", authorization: undefined }, 401],
  ];
  for (const [change, status] of cases)
    assert.equal(refuse({ ...RIGHT, ...change }, HOSTS, "secret")?.status, status, JSON.stringify(change));
});
