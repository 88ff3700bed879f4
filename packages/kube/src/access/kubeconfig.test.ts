import assert from "node:assert/strict";
import { test } from "node:test";
import { AshlarError } from "@ashlar/base";
import fc from "fast-check";
import { stringify } from "yaml";
import { readAccess } from "./kubeconfig.ts";

const whole = {
  apiVersion: "v1",
  kind: "Config",
  "current-context": "prod",
  contexts: [
    { name: "prod", context: { cluster: "c", user: "u", namespace: "shop" } },
    { name: "other", context: { cluster: "d", user: "t" } },
  ],
  clusters: [
    { name: "c", cluster: { server: "https://c.example.org:6443", "certificate-authority": "ca.pem" } },
    { name: "d", cluster: { server: "https://d.example.org/k8s/clusters/1", "certificate-authority-data": "QUJD" } },
  ],
  users: [
    { name: "u", user: { "client-certificate": "/k/u.pem", "client-key": "u.key" } },
    { name: "t", user: { token: "secret" } },
  ],
};

const file = (value: object, path = "/home/a/.kube/config") => ({ path, text: stringify(value) });

function refusalOf(value: object): AshlarError {
  try {
    readAccess([file(value)], undefined);
  } catch (error) {
    if (error instanceof AshlarError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("the current context, paths relative to the file", () => {
  const access = readAccess([file(whole)], undefined);
  assert.equal(access.server.href, "https://c.example.org:6443/");
  assert.deepEqual(access.authority, { path: "/home/a/.kube/ca.pem" });
  const key = { path: "/home/a/.kube/u.key" };
  assert.deepEqual(access.login, { kind: "certificate", certificate: { path: "/k/u.pem" }, key });
});

test("a named context; of several files the first that has a name counts", () => {
  const { server, authority, login } = readAccess([file(whole)], "other");
  assert.equal(server.pathname, "/k8s/clusters/1");
  assert.deepEqual(authority, { bytes: Buffer.from("ABC") });
  assert.deepEqual(login, { kind: "token", token: "secret" });
  const first = file({ users: [{ name: "u", user: { tokenFile: "t" } }], contexts: null }, "/first/config");
  assert.deepEqual(readAccess([first, file(whole)], undefined).login, { kind: "token-file", path: "/first/t" });
});

test("what is not there, or would not be checked, is refused", () => {
  const withCluster = (cluster: object) => ({ ...whole, clusters: [{ name: "c", cluster }] });
  const withUser = (user: object) => ({ ...whole, users: [{ name: "u", user }] });
  const server = "https://c.example.org";
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{}, "not-found", /expected a current-context/u],
    [{ ...whole, contexts: [] }, "not-found", /expected a context named prod, found none/u],
    [{ ...whole, clusters: [] }, "not-found", /expected a cluster named c/u],
    [{ ...whole, users: [] }, "not-found", /expected a user named u/u],
    [withCluster({ server: "http://127.0.0.1:8001" }), "invalid", /expected the https URL/u],
    [withCluster({ server, "insecure-skip-tls-verify": true }), "invalid", /found insecure-skip-tls-verify/u],
    [withCluster({ server, "proxy-url": "socks5://p" }), "invalid", /proxy-url/u],
    [withUser({ username: "u", password: "p" }), "invalid", /another way to log in/u],
    [withUser({ "client-key-data": "QQ==" }), "invalid", /found only one of them/u],
    [{ ...whole, clusters: "c" }, "malformed", /clusters/u],
  ];
  for (const [value, code, message] of cases) {
    const refusal = refusalOf(value);
    assert.equal(refusal.code, code, refusal.message);
    assert.match(refusal.message, message);
  }
});

test("any text gives an access or an AshlarError, and no error shows a token", () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constant("a: &a [*a]"),
    fc.constant("users: [{name: u, user: {token: [hidden]}}]"),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        readAccess([{ path: "/f", text }], undefined);
      } catch (error) {
        assert.ok(error instanceof AshlarError, String(error));
        assert.doesNotMatch(error.message, /hidden/u);
      }
    }),
  );
});
