import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAllDocuments } from "yaml";
import { kubeadmDocuments, TOKEN_CHARACTERS, tokenOf } from "./kubeadm-documents.ts";

const OPTIONS = {
  version: "v1.33.4",
  apiPort: 22_000,
  token: "abcdef.abcdefghijklmnop",
  apiCallSeconds: 60,
  certificatesDir: "/lab/pki",
};

test("nodes do not hear where this computer keeps the cluster's keys", () => {
  assert.ok(kubeadmDocuments(OPTIONS).includes("certificatesDir: /lab/pki"));
  assert.ok(!kubeadmDocuments({ ...OPTIONS, certificatesDir: undefined }).includes("/lab"));
});

test("four documents, one of each kind", () => {
  const kinds = parseAllDocuments(kubeadmDocuments(OPTIONS)).map((document) => document.get("kind"));
  assert.deepEqual(kinds, [
    "InitConfiguration",
    "ClusterConfiguration",
    "KubeletConfiguration",
    "KubeProxyConfiguration",
  ]);
});

test("any random bytes give a token that Kubernetes takes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: TOKEN_CHARACTERS, maxLength: TOKEN_CHARACTERS }), (bytes) => {
      assert.match(tokenOf(bytes), /^[a-z0-9]{6}\.[a-z0-9]{16}$/u);
    }),
  );
});
