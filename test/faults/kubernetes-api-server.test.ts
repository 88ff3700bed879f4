/**
 * A real API server that does not do what is asked of it: it goes away, it does not know who asks, it is not the one that is
 * meant; and one with more nodes than it gives at once.
 */
import assert from "node:assert/strict";
import { createSign } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EXIT_STATUS } from "@ashlar/base";
import { run } from "@ashlar/host";
import { Cluster } from "@ashlar/kube";
import { ashlar, ashlarWithStatus, removeLabOnSignal } from "../e2e/world.ts";
import { budget, DrainLab, nodeNamed } from "./drain-lab.ts";
import { takeTurn } from "./drain-turn.ts";

const MINUTES = 60_000;
const NAME = "e2e-api-server";
let lab: DrainLab;

removeLabOnSignal(NAME);

before(async () => void (lab = await DrainLab.up(NAME)), { timeout: 60 * MINUTES });

after(async () => await ashlar("lab", "down", "--name", NAME));

/** A node with one pod that a budget keeps there. */
async function blockedNode(name: string): Promise<void> {
  await lab.create(nodeNamed(name), budget(name, 1, name), lab.pod(`${name}-1`, name, name));
  await lab.runPods(`${name}-1`);
  await lab.budgetCounts(name, 1);
}

test("an API server that goes away while a node is drained is waited for", { timeout: 60 * MINUTES }, async () => {
  await blockedNode("w-away");
  let comesBack: Promise<void> | undefined;
  const result = await takeTurn("w-away", {
    kubeconfig: lab.access.kubeconfig,
    recordPath: lab.recordOf("w-away"),
    policy: { timeoutMs: 15 * MINUTES },
    onBlocked: () => {
      comesBack ??= restartAndLetGo("w-away");
    },
    onReboot: async (id) => lab.reportBoot("w-away", id),
  });
  assert.ok(comesBack !== undefined);
  await comesBack;
  assert.deepEqual([result.outcome, result.cluster?.evicted, result.cluster?.cordoned], ["updated", 1, false]);
});

async function restartAndLetGo(name: string): Promise<void> {
  const start = await lab.killApiServer();
  await start();
  await lab.kubectl("delete", "poddisruptionbudget", name);
}

test("one that is away for longer than a drain may take: given up, and the cordon taken back later", async () => {
  await blockedNode("w-late");
  let start: Promise<() => Promise<void>> | undefined;
  const result = takeTurn("w-late", {
    kubeconfig: lab.access.kubeconfig,
    recordPath: lab.recordOf("w-late"),
    onBlocked: () => {
      start ??= lab.killApiServer();
      // The drain has 10 s, and is told first that nobody answers.
      void start.then((startAgain) => setTimeout(() => void startAgain(), 15_000));
    },
  });
  const { reason, cluster } = await result;
  assert.match(reason?.message ?? "", /no answer from the API server 127\.0\.0\.1:\d+: .*ECONNREFUSED/u);
  assert.deepEqual([cluster?.evicted, cluster?.cordoned, await lab.cordonOf("w-late")], [0, false, ""]);
});

test("a login that ends while a node is drained: said so, and the next command takes the cordon back", async () => {
  await blockedNode("w-login");
  await createOperator("passing", [
    ["nodes", "get,list,patch"],
    ["pods", "get,list,watch"],
    ["pods/eviction", "create"],
  ]);
  const kubeconfig = await kubeconfigFor("passing", {
    token: (await lab.kubectl("create", "token", "passing")).trim(),
  });
  let isEnded = false;
  const { reason, cluster } = await takeTurn("w-login", {
    kubeconfig,
    recordPath: lab.recordOf("w-login"),
    policy: { timeoutMs: 10 * MINUTES },
    onBlocked: () => {
      if (!isEnded) void lab.kubectl("delete", "serviceaccount", "passing");
      isEnded = true;
    },
  });
  assert.match(reason?.message ?? "", /the API server answers 401: Unauthorized; it may still be cordoned: /u);
  assert.deepEqual([reason?.code, cluster?.cordoned], ["not-drained", null]);
  assert.equal(await lab.cordonOf("w-login"), "true 1.1.0");
  const next = await takeTurn("w-login", { kubeconfig: lab.access.kubeconfig, recordPath: lab.recordOf("w-login") });
  assert.deepEqual([next.reason?.code, next.cluster?.cordoned], ["not-drained", false]);
});

test("a user who may not evict learns it before anything is cordoned", async () => {
  await lab.create(nodeNamed("w-rights"), lab.pod("rights-1", "w-rights", "rights"));
  await createOperator("reader", [
    ["nodes", "get,list,patch"],
    ["pods", "get,list,watch"],
  ]);
  const kubeconfig = await kubeconfigFor("reader", { token: (await lab.kubectl("create", "token", "reader")).trim() });
  const { reason, cluster } = await takeTurn("w-rights", { kubeconfig, recordPath: lab.recordOf("w-rights") });
  assert.match(
    reason?.message ?? "",
    /^the API server refuses evictions for good: default\/rights-1: .*cannot create resource "pods\/eviction"/u,
  );
  assert.deepEqual([cluster?.evicted, cluster?.cordoned], [0, false]);
});

test("a login, a right or a server that is wrong: one sentence, and a status that says so", async () => {
  await createOperator("nobody", []);
  const forbidden = await kubeconfigFor("forbidden", {
    token: (await lab.kubectl("create", "token", "nobody")).trim(),
  });
  const strange = join(lab.directory, "strange.crt");
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", "/dev/null"];
  await run("openssl", ["req", "-x509", ...key, "-out", strange, "-subj", "/CN=kubernetes"]);
  const cases: readonly (readonly [string, string, keyof typeof EXIT_STATUS, RegExp])[] = [
    [
      "expired",
      await kubeconfigFor("expired", { token: await expiredToken() }),
      "privilege",
      /answers 401: Unauthorized\nhint: log in anew/u,
    ],
    [
      "forbidden",
      forbidden,
      "privilege",
      /answers 403: nodes is forbidden: .*cannot list .*\nhint: .*docs\/guides\/kubernetes\.md/u,
    ],
    [
      "wrong CA",
      await kubeconfigFor("wrong-ca", { authority: strange }),
      "untrusted",
      /has not proven to be the one of the kubeconfig/u,
    ],
    [
      "nobody there",
      await kubeconfigFor("nowhere", { server: "https://127.0.0.1:1" }),
      "unavailable",
      /no answer from the API server 127\.0\.0\.1:1: .*ECONNREFUSED/u,
    ],
  ];
  for (const [what, kubeconfig, code, message] of cases) {
    for (const command of [["prove"], ["update", "--to", "1.1.0"]]) {
      const { status, stdout, stderr } = await ashlarWithStatus(...command, "--kubernetes", "--kubeconfig", kubeconfig);
      assert.deepEqual([status, stdout.toString()], [EXIT_STATUS[code], ""], `${what}: ${stderr}`);
      assert.match(stderr, /^error: the nodes of the cluster: /u, what);
      assert.match(stderr, message, what);
      assert.ok(stderr.trim().split("\n").length <= 2, stderr);
    }
  }
});

test("1,200 nodes, of which the server gives 500 at once", { timeout: 60 * MINUTES }, async () => {
  const names = Array.from({ length: 1200 }, (_, index) => `many-${index + 1}`);
  for (let first = 0; first < names.length; first += 400) {
    await lab.create(...names.slice(first, first + 400).map((name) => nodeNamed(name)));
  }
  using cluster = await Cluster.open({ kubeconfig: lab.access.kubeconfig });
  const found = (await cluster.nodes(new AbortController().signal)).map(({ name }) => name);
  assert.deepEqual(
    found.filter((name) => name.startsWith("many-")),
    names,
  );
});

type Rights = readonly (readonly [resources: string, verbs: string])[];

async function createOperator(name: string, rights: Rights): Promise<void> {
  await lab.kubectl("create", "serviceaccount", name);
  const rules = rights.map(([resource, verbs]) => ({
    apiGroups: [""],
    resources: [resource],
    verbs: verbs.split(","),
  }));
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name } };
  const subjects = [{ kind: "ServiceAccount", name, namespace: "default" }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
  await lab.create({ ...rbac, kind: "ClusterRole", rules }, { ...rbac, kind: "ClusterRoleBinding", subjects, roleRef });
}

type Login = { readonly token?: string; readonly server?: string; readonly authority?: string };

async function kubeconfigFor(name: string, { token, server, authority }: Login): Promise<string> {
  const path = join(lab.directory, `${name}.yaml`);
  const cluster = { server: server ?? lab.server, "certificate-authority": authority ?? join(lab.pki, "ca.crt") };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster }],
    users: [{ name, user: { token: token ?? "none" } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

/** Of a service account, signed as the cluster does that, and over since yesterday (RFC 7519). */
async function expiredToken(): Promise<string> {
  const key = await readFile(join(lab.pki, "sa.key"), "utf8");
  const over = Math.floor(Date.now() / 1000) - 86_400;
  const issuer = "https://kubernetes.default.svc.cluster.local";
  const account = { namespace: "default", serviceaccount: { name: "default", uid: "unknown" } };
  const claims = {
    iss: issuer,
    aud: [issuer],
    sub: "system:serviceaccount:default:default",
    nbf: over - 60,
    iat: over - 60,
    exp: over,
  };
  const parts = [{ alg: "RS256" }, { ...claims, "kubernetes.io": account }];
  const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${text}.${createSign("sha256").update(text).sign(key, "base64url")}`;
}
