import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { AshlarError } from "@ashlar/base";
import { endOfClientCertificate, pinnedCas } from "./certificates.ts";
import { restoreCluster } from "./restore-cluster.ts";
import { makeTestCa } from "./test-certificates.ts";

const ca = makeTestCa();
const otherCa = makeTestCa();
const client = ca.issue(10);
const PKI = "var/lib/kubelet/pki";
const CURRENT = `${PKI}/kubelet-client-current.pem`;
const CLIENT = `${PKI}/kubelet-client-2026-01-01-00-00-00.pem`;
const JOIN = `[Service]\nExecStart=/usr/bin/kubeadm join cp.example.org:6443 --token a.b --discovery-token-ca-cert-hash ${ca.digest}\n`;

class Node {
  readonly root: string = mkdtempSync(join(tmpdir(), "ashlar-cluster-"));

  constructor(files: Readonly<Record<string, string>> = {}) {
    const all = {
      "etc/systemd/system/kubeadm.service": JOIN,
      [`${PKI}/cluster-ca.crt`]: ca.certificate,
      [CLIENT]: client,
      ...files,
    };
    for (const [path, content] of Object.entries(all)) this.write(path, content);
    symlinkSync(`/${CLIENT}`, join(this.root, CURRENT));
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  async restore(now = new Date()): Promise<Awaited<ReturnType<typeof restoreCluster>>> {
    return await restoreCluster(this.root, now);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

test("the kubelet finds the declared server, the CA that was kept, its certificate, and nothing to run", async () => {
  using node = new Node();
  assert.equal((await node.restore()).restored, true);
  assert.equal(node.read("etc/kubernetes/pki/ca.crt"), ca.certificate);
  const path = "/var/lib/kubelet/pki/kubelet-client-current.pem";
  assert.deepEqual(JSON.parse(node.read("etc/kubernetes/kubelet.conf")), {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "cluster",
        cluster: {
          server: "https://cp.example.org:6443",
          "certificate-authority-data": Buffer.from(ca.certificate).toString("base64"),
        },
      },
    ],
    users: [{ name: "node", user: { "client-certificate": path, "client-key": path } }],
    contexts: [{ name: "node", context: { cluster: "cluster", user: "node" } }],
    "current-context": "node",
  });
  assert.equal(lstatSync(join(node.root, "etc/kubernetes/kubelet.conf")).mode & 0o777, 0o600);
});

test("of several kept CAs those that are declared count, without what stands between them", async () => {
  using node = new Node({ [`${PKI}/cluster-ca.crt`]: `${otherCa.certificate}users: [{exec: x}]\n${ca.certificate}` });
  await node.restore();
  assert.equal(node.read("etc/kubernetes/pki/ca.crt"), ca.certificate);
});

const untrusted = /expected a CA with sha256:\w{64}, found/u;
for (const [what, files, expected] of [
  ["the CA is another", { [`${PKI}/cluster-ca.crt`]: otherCa.certificate }, untrusted],
  ["the CA is no certificate", { [`${PKI}/cluster-ca.crt`]: "users: [{exec: x}]" }, untrusted],
  ["the CA is a certificate that the CA has issued", { [`${PKI}/cluster-ca.crt`]: client }, untrusted],
  [
    "the CA's bytes are damaged",
    { [`${PKI}/cluster-ca.crt`]: ca.certificate.replace(/MII/u, "MIJ") },
    /expected a certificate, found bytes that are none/u,
  ],
  ["the CA is very long", { [`${PKI}/cluster-ca.crt`]: "x".repeat(300_000) }, /expected at most \d+ bytes/u],
  ["there are too many CAs", { [`${PKI}/cluster-ca.crt`]: ca.certificate.repeat(17) }, /at most 16 certificates/u],
  [
    "the client certificate is another CA's",
    { [CLIENT]: otherCa.issue(10) },
    /expected a certificate of the cluster's CA/u,
  ],
  ["the client certificate has no key", { [CLIENT]: ca.certificate }, /expected a certificate and its private key/u],
  [
    "the client's key is another",
    {
      [CLIENT]:
        client.slice(0, client.indexOf("-----BEGIN PRIVATE")) +
        ca.issue(1).replace(/^[\s\S]*?(?=-----BEGIN PRIV)/u, ""),
    },
    /expected the private key of the certificate, found another/u,
  ],
] as const) {
  test(`refused, and nothing is written: ${what}`, async () => {
    using node = new Node(files);
    await assert.rejects(node.restore(), (error) => error instanceof AshlarError && expected.test(error.message));
    assert.throws(() => node.read("etc/kubernetes/kubelet.conf"), /ENOENT/u);
    assert.throws(() => node.read("etc/kubernetes/pki/ca.crt"), /ENOENT/u);
  });
}

test("what is left instead of a file is not opened: a pipe, a link", async () => {
  for (const make of [
    (path: string): void => void execFileSync("mkfifo", [path]),
    (path: string): void => symlinkSync("/dev/zero", path),
  ]) {
    using node = new Node();
    rmSync(join(node.root, CLIENT));
    make(join(node.root, CLIENT));
    await assert.rejects(node.restore(), AshlarError);
    rmSync(join(node.root, CURRENT));
    make(join(node.root, CURRENT));
    const restored = await node.restore().then(
      (done) => done.restored,
      (error: unknown) => !(error instanceof AshlarError),
    );
    assert.equal(restored, false);
  }
});

for (const [what, files, now, expected] of [
  ["the certificate has ended", {}, new Date(Date.now() + 11 * 86_400_000), /^the client certificate ended at /u],
  [
    "no unit joins",
    { "etc/systemd/system/kubeadm.service": "[Service]\n" },
    new Date(),
    /no unit joins one, and there is no \/etc\/ashlar\/cluster\.yaml$/u,
  ],
  [
    "no digest is declared",
    { "etc/systemd/system/kubeadm.service": JOIN.replace(/--discovery-token-ca-cert-hash.*/u, "") },
    new Date(),
    /nothing measured says which CA is right/u,
  ],
] as const) {
  test(`has to join again: ${what}`, async () => {
    using node = new Node(files);
    const { restored, message } = await node.restore(now);
    assert.equal(restored, false);
    assert.match(message, expected);
    assert.throws(() => node.read("etc/kubernetes/kubelet.conf"), /ENOENT/u);
  });
}

test("a cluster that only drop-ins name", async () => {
  using node = new Node({
    "etc/systemd/system/kubeadm.service": "[Service]\n",
    "etc/systemd/system/kubeadm.service.d/10-join.conf": JOIN,
  });
  assert.equal((await node.restore()).restored, true);
});

test("whatever was left in place of certificates", () => {
  const cas = pinnedCas(ca.certificate, [ca.digest]);
  const spoilt = fc
    .tuple(fc.constantFrom(ca.certificate, client), fc.nat(), fc.string({ maxLength: 8 }))
    .map(([pem, at, text]) => pem.slice(0, at % pem.length) + text + pem.slice((at % pem.length) + text.length));
  fc.assert(
    fc.property(fc.oneof(spoilt, fc.string()), (pem) => {
      for (const read of [() => pinnedCas(pem, [ca.digest]), () => endOfClientCertificate(pem, cas)]) {
        try {
          read();
        } catch (error) {
          if (!(error instanceof AshlarError)) throw error;
        }
      }
    }),
  );
});
