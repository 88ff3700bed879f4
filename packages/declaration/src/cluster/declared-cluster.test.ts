import assert from "node:assert/strict";
import { test } from "node:test";
import { declaredCluster } from "./declared-cluster.ts";

const HASH = `sha256:${"ab".repeat(32)}`;
const OTHER = `sha256:${"cd".repeat(32)}`;
const PATH = "/etc/systemd/system/kubeadm.service";
const joining = (words: string): { readonly path: string; readonly text: string } => ({
  path: PATH,
  text: `[Service]\nExecStart=/usr/bin/kubeadm join ${words}\n`,
});

test("from the line that joins", () => {
  const unit = joining(
    `[fd00::1]:6443 --token a.b --discovery-token-ca-cert-hash ${HASH.toUpperCase().replace("SHA", "sha")}`,
  );
  assert.deepEqual(declaredCluster([unit], undefined), {
    cluster: { server: "[fd00::1]:6443", caHashes: [HASH], path: PATH },
    problems: [],
  });
});

test("the same cluster twice is one; two are none", () => {
  const one = joining(`a.example:6443 --discovery-token-ca-cert-hash ${HASH}`);
  assert.equal(declaredCluster([one, one], undefined).cluster?.server, "a.example:6443");
  for (const other of [
    joining(`b.example:6443 --discovery-token-ca-cert-hash ${HASH}`),
    joining(`a.example:6443 --discovery-token-ca-cert-hash ${OTHER}`),
  ]) {
    const { cluster, problems } = declaredCluster([one, other], undefined);
    assert.equal(cluster, undefined);
    assert.match(problems.join("\n"), /expected one cluster: \S+ joins a\.example:6443 with sha256:\w+, /u);
  }
});

test("the file counts, whatever units say", () => {
  const file = `server: cp.example.org:443\ncaHashes: ["${HASH}", "${OTHER}"]\n`;
  const { cluster, problems } = declaredCluster([joining("$SERVER")], file);
  assert.deepEqual(problems, []);
  assert.deepEqual(cluster, {
    server: "cp.example.org:443",
    caHashes: [HASH, OTHER],
    path: "/etc/ashlar/cluster.yaml",
  });
});

for (const [words, expected] of [
  [
    "a.example:6443 --token a.b --discovery-token-unsafe-skip-ca-verification",
    /nothing measured says which CA is right/u,
  ],
  [
    "a.example:6443 --discovery-token-ca-cert-hash sha256:12",
    /expected sha256: and 64 hexadecimal digits .*found sha256:12/u,
  ],
  [`\${SERVER} --discovery-token-ca-cert-hash ${HASH}`, /expected kubeadm join HOST:PORT, found \$\{SERVER\}/u],
  [`a.example --discovery-token-ca-cert-hash ${HASH}`, /expected kubeadm join HOST:PORT, found a\.example/u],
  [`a.example:65536 --discovery-token-ca-cert-hash ${HASH}`, /expected kubeadm join HOST:PORT, found/u],
  [`u@a.example:6443 --discovery-token-ca-cert-hash ${HASH}`, /expected kubeadm join HOST:PORT, found/u],
  ["--config /etc/join.yaml", /found --config \/etc\/join\.yaml, which is not read/u],
  ["", /expected kubeadm join HOST:PORT, found no address/u],
] as const) {
  test(`not to be used: kubeadm join ${words}`, () => {
    const { cluster, problems } = declaredCluster([joining(words)], undefined);
    assert.equal(cluster, undefined);
    assert.match(problems.join("\n"), expected);
    assert.match(problems.join("\n"), /hint: .*\/etc\/ashlar\/cluster\.yaml/u);
  });
}

for (const text of [
  "",
  "server: a.example:6443\n",
  `caHashes: ["${HASH}"]\n`,
  `server: a.example:6443\ncaHashes: []\n`,
  `server: https://a.example:6443\ncaHashes: ["${HASH}"]\n`,
  `server: a.example:6443\ncaHashes: ["${HASH}"]\nuser: {exec: {command: sh}}\n`,
  "[",
]) {
  test(`no cluster.yaml: ${JSON.stringify(text)}`, () => {
    const { cluster, problems } = declaredCluster([], text);
    assert.equal(cluster, undefined);
    assert.match(problems.join("\n"), /^\/etc\/ashlar\/cluster\.yaml: |^\/etc\/ashlar\/cluster\.yaml:\d/u);
  });
}

test("nothing names a cluster", () => {
  assert.deepEqual(declaredCluster([{ path: PATH, text: "" }], undefined), {
    cluster: undefined,
    problems: [],
  });
});
