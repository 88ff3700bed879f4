import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { joinLinesOf } from "./join-lines.ts";

const HASH = `sha256:${"ab".repeat(32)}`;
const OTHER = `sha256:${"cd".repeat(32)}`;
const found = { server: "cp.example.org:6443", caHashes: [HASH], configFile: undefined };

for (const [line, expected] of [
  [`kubeadm join cp.example.org:6443 --token a.b --discovery-token-ca-cert-hash ${HASH}`, found],
  [`/usr/bin/kubeadm join --token a.b --discovery-token-ca-cert-hash=${HASH} cp.example.org:6443`, found],
  [`-/usr/bin/kubeadm join --dry-run cp.example.org:6443 --discovery-token-ca-cert-hash ${HASH} -v 5`, found],
  [`/bin/sh -c "sleep 1; kubeadm join cp.example.org:6443 --discovery-token-ca-cert-hash '${HASH}' && true"`, found],
  [
    `kubeadm join cp.example.org:6443 --discovery-token-ca-cert-hash ${HASH},${OTHER} --discovery-token-ca-cert-hash ${HASH}`,
    { ...found, caHashes: [HASH, OTHER, HASH] },
  ],
  [
    "kubeadm join a:1 --discovery-token-unsafe-skip-ca-verification b:2",
    { server: "a:1", caHashes: [], configFile: undefined },
  ],
  ["kubeadm join --config /etc/join.yaml", { server: undefined, caHashes: [], configFile: "/etc/join.yaml" }],
  ["kubeadm join", { server: undefined, caHashes: [], configFile: undefined }],
] as const) {
  test(line, () => assert.deepEqual(joinLinesOf(`[Service]\nExecStart=${line}\n`), [expected]));
}

test("a line that goes on, with a comment in it", () => {
  const unit = `[Service]\nExecStart=/usr/bin/kubeadm join \\\n  # the cluster\n  cp.example.org:6443 \\\n --discovery-token-ca-cert-hash ${HASH}\n`;
  assert.deepEqual(joinLinesOf(unit), [found]);
});

for (const line of [
  "ExecStart=/usr/bin/kubeadm reset",
  "ExecStart=/usr/bin/notkubeadm join a:1",
  "#ExecStart=/usr/bin/kubeadm join a:1",
  "ExecStop=/usr/bin/kubeadm join a:1",
  "Description=kubeadm join a:1",
]) {
  test(`no line that joins: ${line}`, () => assert.deepEqual(joinLinesOf(`[Service]\n${line}\n`), []));
}

test("a unit larger than any is left alone", () => {
  assert.deepEqual(joinLinesOf(`ExecStart=kubeadm join a:1\n${"#".repeat(256 * 1024)}`), []);
});

test("whatever a unit holds", () => {
  const word = fc.constantFrom("kubeadm", "join", "--token", "=", "\\\n", "ExecStart=", "\n", '"', ";", "a:1", HASH);
  fc.assert(fc.property(fc.array(fc.oneof(word, fc.string())), (words) => Array.isArray(joinLinesOf(words.join(" ")))));
});
