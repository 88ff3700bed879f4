/** `ashlar prove --fleet` and `update --fleet`, over nodes that answer here and an API server that names some of them. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { expectationsOf, type NamedVerdict } from "@ashlar/identity";
import { TestAuthority, TestNode } from "@ashlar/identity/test-fixtures";
import { operatorPem } from "@ashlar/protocol";
import { testLogs, testRelease } from "@ashlar/protocol/test-fixtures";
import { TestAgent } from "@ashlar/verifier/test-fixtures";
import { proveLive } from "../prove/prove-live.ts";
import { refuseContradictions, type ProveOptions } from "../prove/prove-options.ts";
import { sessionOfOptions } from "../update/session-of-options.ts";

const directory = mkdtempSync(join(tmpdir(), "ashlar-fleet-"));
after(() => rmSync(directory, { recursive: true }));
const inside = (name: string): string => join(directory, name);

const CONFIGS = {
  a: '{"ignition":{"version":"3.4.0"}}',
  b: '{"ignition":{"version":"3.3.0"}}',
  own: '{"ignition":{}}',
};
for (const [name, config] of Object.entries(CONFIGS)) writeFileSync(inside(`${name}.ign`), config);
const [old, current] = [testRelease("1.0.0"), testRelease("1.1.0")];
for (const release of [old, current]) writeFileSync(inside(`${release.version}.json`), JSON.stringify(release));

const [maker, otherMaker] = [new TestAuthority(), new TestAuthority()];
const [first, second] = [new TestNode(maker), new TestNode(otherMaker)];
writeFileSync(inside("maker.pem"), maker.roots);
writeFileSync(inside("other.pem"), otherMaker.roots);
function boot(node: TestNode, release: typeof old, classConfig: string, nodeConfig = ""): void {
  const configs = { classConfig: Buffer.from(classConfig), nodeConfig: Buffer.from(nodeConfig) };
  const { classConfigSha256, nodeConfigSha256 } = expectationsOf({ release, ...configs });
  node.boot(testLogs(release, classConfigSha256, nodeConfigSha256));
}

const prove = async (fleet: string, options: Partial<ProveOptions> = {}): Promise<readonly NamedVerdict[]> =>
  (await proveLive({ fleet: inside(fleet), maxAge: 60, ...options }, () => undefined)).fleet.nodes;

const summary = (nodes: readonly NamedVerdict[]): unknown =>
  nodes.map(({ name, level, release }) => [name, level, release]);

test("each node is judged by its class: config, own config, release and trusted makers", async () => {
  boot(first, old, CONFIGS.a, CONFIGS.own);
  boot(second, current, CONFIGS.b);
  await using one = await TestAgent.start(first, old);
  await using two = await TestAgent.start(second, current);
  const file = (classOfTwo: string, ekRoots = "other.pem"): string => `schema: ashlar.fleet/v1
pins: pins.json
trust: {ekRoots: maker.pem}
classes:
  control: {config: a.ign, image: 1.0.0.json}
  worker: {config: b.ign, image: 1.1.0.json, trust: {ekRoots: ${ekRoots}}}
nodes:
  - {name: cp-1, url: "${one.url}", class: control, nodeConfig: own.ign}
  - {pattern: "worker-[2-2]", url: "${two.url}", class: ${classOfTwo}}
`;
  writeFileSync(inside("fleet.yaml"), file("worker"));
  assert.deepEqual(summary(await prove("fleet.yaml")), [
    ["cp-1", "proven", "1.0.0"],
    ["worker-2", "proven", "1.1.0"],
  ]);
  assert.match(readFileSync(inside("pins.json"), "utf8"), /worker-2/u);

  // Kept evidence would be judged by one of the two.
  await assert.rejects(prove("fleet.yaml", { evidence: inside("evidence") }), /one trust policy for all classes/u);
  writeFileSync(inside("fleet.yaml"), file("control"));
  const [, wrongClass] = await prove("fleet.yaml");
  assert.equal(wrongClass?.level, "mismatch");
  rmSync(inside("pins.json"));
  writeFileSync(inside("fleet.yaml"), file("worker", "maker.pem"));
  const [, wrongMaker] = await prove("fleet.yaml");
  assert.match(wrongMaker?.differences[0]?.found ?? "", /no trusted issuer/u);
});

test("nodes of a cluster: by selector, of the class of their label; one of no class is not proven", async () => {
  boot(first, old, CONFIGS.a);
  await using agent = await TestAgent.start(first, old);
  const key = inside("api.key");
  const kind = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-noenc",
    "-keyout",
    key,
    "-out",
    inside("api.crt"),
  ];
  execFileSync("openssl", ["req", "-x509", ...kind, "-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1"], {
    stdio: "ignore",
  });
  const CLASS = "ashlar.node-restriction.kubernetes.io/class";
  const nodeOf = (name: string, className: string): object => ({
    metadata: { name, resourceVersion: "1", labels: { [CLASS]: className } },
    status: {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      conditions: [{ type: "Ready", status: "True" }],
    },
  });
  const asked: string[] = [];
  const items = [nodeOf("a", "control"), nodeOf("b", "storage")];
  const server = createServer(
    { key: readFileSync(key), cert: readFileSync(inside("api.crt")) },
    (request, response) => {
      asked.push(request.url ?? "");
      response.end(JSON.stringify({ kind: "NodeList", metadata: { resourceVersion: "1" }, items }));
    },
  ).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : "";
    const clusters = [
      { name: "c", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": "api.crt" } },
    ];
    const contexts = [{ name: "c", context: { cluster: "c", user: "u" } }];
    const users = [{ name: "u", user: { token: "secret" } }];
    writeFileSync(inside("kubeconfig"), JSON.stringify({ clusters, contexts, users, "current-context": "c" }));
    writeFileSync(
      inside("cluster.yaml"),
      `schema: ashlar.fleet/v1
classes: {control: {config: a.ign, image: 1.0.0.json, trust: {ekRoots: maker.pem}}}
nodes:
  - {name: outside, url: "${agent.url}", class: control}
  - {source: kubernetes, kubeconfig: kubeconfig, selector: "pool=workers,zone in (a,b)"}
`,
    );
    const nodes = await prove("cluster.yaml", { pins: inside("cluster-pins.json") });
    assert.equal(new URL(asked[0] ?? "", "https://x").searchParams.get("labelSelector"), "pool=workers,zone in (a,b)");
    // No agent listens at the usual port here.
    assert.deepEqual(
      nodes.map(({ name, level }) => [name, level]),
      [
        ["outside", "proven"],
        ["a", "unknown"],
        ["b", "unknown"],
      ],
    );
    assert.match(nodes[1]?.differences[0]?.found ?? "", /127\.0\.0\.1:7443.*Node is Ready/u);
    assert.match(nodes[2]?.differences[0]?.found ?? "", /one of the classes control, found storage/u);
    const update = sessionOfOptions({ fleet: inside("cluster.yaml") }, new AbortController().signal);
    await assert.rejects(update, /nodes by name or pattern in .*, found those of a cluster/u);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("an update takes nodes and makers from the file, where all classes trust the same", async () => {
  writeFileSync(inside("operator.pem"), operatorPem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey));
  const options = { fleet: inside("fleet.yaml"), operatorKey: inside("operator.pem") };
  const { signal } = new AbortController();
  const file = (trust: string): string => `schema: ashlar.fleet/v1
trust: {ekRoots: maker.pem}
classes:
  control: {config: a.ign, image: 1.0.0.json}
  worker: {config: b.ign, image: 1.1.0.json${trust}}
nodes:
  - {pattern: "node-[1-2]", class: worker}
  - {name: cp-1, class: control}
`;
  writeFileSync(inside("fleet.yaml"), file(""));
  const { nodes, verifier } = await sessionOfOptions(options, signal);
  assert.deepEqual(
    nodes.map(({ name, url, classConfig }) => [name, url, Buffer.from(classConfig).toString()]),
    [
      ["node-1", "https://node-1:7443", CONFIGS.b],
      ["node-2", "https://node-2:7443", CONFIGS.b],
      ["cp-1", "https://cp-1:7443", CONFIGS.a],
    ],
  );
  const trusted = verifier.ekRoots?.certificates.map(({ x509 }) => x509.toString().trim()) ?? [];
  assert.ok(trusted.length > 0 && trusted.every((pem) => maker.roots.includes(pem)));
  writeFileSync(inside("fleet.yaml"), file(", trust: {ekRoots: other.pem}"));
  await assert.rejects(sessionOfOptions(options, signal), /one trust policy for all classes/u);
});

test("a wrong fleet file names line and column, and no node is asked", async () => {
  const wrong =
    "schema: ashlar.fleet/v1\nclasses: {a: {config: a.ign, chanel: stable}}\nnodes: [{name: n, class: b}]\n";
  writeFileSync(inside("wrong.yaml"), wrong);
  const main = join(import.meta.dirname, "../main.ts");
  const args = [main, "prove", "--fleet", inside("wrong.yaml")];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.deepEqual([status, stdout], [65, ""]);
  assert.match(stderr, /wrong\.yaml:2:38: error at \$\.classes\.a\.chanel: expected a known key/u);
  assert.match(stderr, /^error: .*wrong\.yaml has 1 error$/mu);
  const fleet = inside("wrong.yaml");
  for (const more of [
    { lab: "x" },
    { config: "x" },
    { nodes: "https://a" },
    { kubernetes: true },
    { nodeConfigs: "x" },
  ] as const) {
    assert.throws(() => refuseContradictions({ fleet, maxAge: 1, ...more }), { code: "usage" }, JSON.stringify(more));
  }
  await assert.rejects(prove("nowhere.yaml"), { code: "not-found" });
});
