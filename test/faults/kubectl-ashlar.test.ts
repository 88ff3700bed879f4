/** `kubectl ashlar`, as kubectl finds and runs it, and a real API server in good and in bad weather. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { EXIT_STATUS } from "@ashlar/base";
import { run } from "@ashlar/host";
import { ashlar, removeLabOnSignal } from "../e2e/world.ts";
import { nodeClass, nodeProof } from "./custom-resources.ts";
import { DrainLab } from "./drain-lab.ts";
import { KubectlPlugin } from "./kubectl-plugin.ts";
import { until } from "./operator-process.ts";

const MINUTES = 60_000;
const NAME = "e2e-kubectl-ashlar";
const IDENTITY = "a".repeat(64);
const LONG_NAME = Array.from({ length: 4 }, () => "a".repeat(63))
  .join(".")
  .slice(0, 253);
const HOSTILE = "\u001b]0;x\u0007\u001b[2J\nall proven\u202e<script>";
let lab: DrainLab;
let kubectl: KubectlPlugin;

removeLabOnSignal(NAME);

before(
  async () => {
    lab = await DrainLab.up(NAME);
    kubectl = await KubectlPlugin.of(lab);
  },
  { timeout: 60 * MINUTES },
);

after(async () => await ashlar("lab", "down", "--name", NAME));

const plugin: KubectlPlugin["run"] = async (...args) => await kubectl.run(...args);

async function prove(name: string, level: string, change: object = {}): Promise<void> {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const condition = { type: "Proven", status: level === "proven" ? "True" : "False", reason: "R", message: "m" };
  const status = {
    class: "worker",
    level,
    release: "1.0.0",
    identity: IDENTITY,
    nextBoot: { level: "proven", release: "1.0.0" },
    lastProved: new Date().toISOString(),
    conditions: [{ ...condition, lastTransitionTime }],
    ...change,
  };
  const which = ["nproof", name, "--subresource=status", "--type=merge"];
  await lab.kubectl("patch", ...which, "-p", JSON.stringify({ status }));
}

test("a cluster without Ashlar's kinds: what is missing, and how they are made", async () => {
  const { status, stderr } = await plugin("proof");
  assert.equal(status, EXIT_STATUS["not-found"], stderr);
  assert.match(stderr, /error: the NodeClasses: the API server answers 404/u);
  assert.match(
    stderr,
    /hint: the API server does not know this kind: `kubectl apply -k deploy` makes those of Ashlar/u,
  );
});

test("no node yet: nothing is called proven", async () => {
  await lab.apply("-f", "deploy/crds");
  const { status, stderr } = await plugin("proof");
  assert.equal(status, 2);
  assert.match(stderr, /there are no NodeProofs yet/u);
});

test("proofs as a table, as names, as JSON and YAML; hostile texts stay texts; the status is that of the worst", async () => {
  await lab.create(nodeClass("worker"), nodeProof("worker-1"), nodeProof(LONG_NAME));
  await prove("worker-1", "proven");
  assert.deepEqual((await plugin("proof", "worker-1")).status, 0);
  const difference = { about: "running", code: "class-config", what: "PCR 13", expected: "a", found: HOSTILE };
  await prove(LONG_NAME, "mismatch", { differences: [difference] });
  const table = await plugin("proof");
  assert.equal(table.status, 1);
  assert.match(table.text, /^NODE +LEVEL +RELEASE +NEXT BOOT +CLASS +IDENTITY +AGE +FIRST DIFFERENCE$/mu);
  assert.match(table.text, new RegExp(`^${LONG_NAME} +mismatch +1\\.0\\.0 `, "mu"));
  assert.match(table.text, /^worker-1 +proven +1\.0\.0 +1\.0\.0 proven +worker +aaaaaaaaaaaa +\d+ s +-$/mu);
  assert.doesNotMatch(table.text.replaceAll("\n", ""), /[\p{Cc}\p{Bidi_Control}]/u);
  assert.match(table.stderr, /1 node of 2 is not what was declared/u);
  const names = await plugin("proof", "-o", "name");
  assert.deepEqual(names.text.trim().split("\n"), [
    `nodeproof.ashlar.dev/${LONG_NAME}`,
    "nodeproof.ashlar.dev/worker-1",
  ]);
  const { nodes } = JSON.parse((await plugin("proof", "-o", "json")).text);
  assert.deepEqual([nodes[0].name, nodes[0].level, nodes[0].differences[0].found], [LONG_NAME, "mismatch", HOSTILE]);
  assert.match((await plugin("proof", "-o", "yaml")).text, /^schema: ashlar\.node-proofs\/v1$/mu);
  const unknown = await plugin("proof", "worker-9");
  assert.equal(unknown.status, EXIT_STATUS["not-found"]);
  assert.match(unknown.stderr, /expected a NodeProof worker-9, found none/u);
});

test("a proof that nobody writes any more is unknown, whatever the resource says", async () => {
  const lastProved = new Date(Date.now() - 2 * 3_600_000).toISOString();
  await prove("worker-1", "proven", { lastProved });
  const { status, text } = await plugin("proof", "worker-1");
  assert.equal(status, 2);
  assert.match(
    text,
    /worker-1 +unknown +1\.0\.0 +1\.0\.0 unknown .* 2 h +last proof: expected at most 60 min old, found one 2 h old/u,
  );
  await lab.kubectl("patch", "nclass", "worker", "--type=merge", "-p", '{"spec":{"proof":{"freshnessSeconds":86400}}}');
  assert.equal((await plugin("proof", "worker-1")).status, 0);
});

test("who may not read: which right is missing; who may read proofs alone is told what is taken for granted", async () => {
  for (const name of ["nobody", "reader"]) await lab.kubectl("create", "serviceaccount", name);
  const rule = ["--verb=list,watch", "--resource=nodeproofs.ashlar.dev"];
  await lab.kubectl("create", "clusterrole", "proofs-only", ...rule);
  await lab.kubectl(
    "create",
    "clusterrolebinding",
    "reader",
    "--clusterrole=proofs-only",
    "--serviceaccount=default:reader",
  );
  const refused = await plugin("proof", "--kubeconfig", await kubectl.kubeconfigOf("nobody"));
  assert.equal(refused.status, EXIT_STATUS.privilege);
  assert.match(
    refused.stderr,
    /error: the NodeProofs: the API server answers 403: nodeproofs\.ashlar\.dev is forbidden/u,
  );
  assert.match(refused.stderr, /hint: .*ClusterRole ashlar-view/u);
  const partial = await plugin("proof", "--kubeconfig", await kubectl.kubeconfigOf("reader"), "worker-1");
  assert.equal(partial.status, 2, partial.stderr);
  assert.match(partial.stderr, /a proof counts as too old after an hour.*the NodeClasses: the API server answers 403/u);
});

test("kubectl completes commands and nodes", async () => {
  const complete = async (...words: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await run(lab.access.kubectl, ["__complete", "ashlar", ...words], { env: kubectl.environment });
    return stdout.toString("utf8").trim().split("\n");
  };
  assert.ok((await complete("")).some((line) => line.startsWith("proof\t")));
  assert.deepEqual(await complete("proof", "w"), ["worker-1", ":4"]);
});

test("what changes is printed as it changes; an API server that is away is said to be, and is waited for", async (context) => {
  const child = spawn(lab.access.kubectl, ["ashlar", "proof", "--watch", "-o", "json"], {
    env: { ...process.env, ...kubectl.environment },
    stdio: ["ignore", "pipe", "pipe"],
    // kubectl replaces itself by the plugin, whose launcher does the same.
    detached: true,
  });
  context.after(() => child.kill("SIGKILL"));
  const [said, told]: [string[], string[]] = [[], []];
  createInterface({ input: child.stdout }).on("line", (line) => said.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => told.push(line));
  const levels = (): string[] =>
    said
      .map((line) => JSON.parse(line).nodes[0])
      .filter(({ name }) => name === "worker-1")
      .map(({ level }) => level);
  const sees = async (count: number): Promise<string[]> =>
    await until(`${count} lines about worker-1`, async () => (levels().length >= count ? levels() : undefined));
  assert.deepEqual(await sees(1), ["proven"]);
  await prove("worker-1", "mismatch");
  assert.deepEqual(await sees(2), ["proven", "mismatch"]);

  const start = await lab.killApiServer();
  await until("it says so", async () => told.find((line) => line.startsWith("what is shown gets old: ")));
  const away = await plugin("proof");
  assert.equal(away.status, EXIT_STATUS.unavailable);
  assert.match(
    away.stderr,
    /no answer from the API server 127\.0\.0\.1:\d+: .*\nhint: does it run, and is it reached from here\?/u,
  );
  await start();
  await until("the API server has what it had", async () => {
    await prove("worker-1", "proven");
    return true;
  });
  assert.deepEqual(await sees(3), ["proven", "mismatch", "proven"]);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  assert.equal(await ended, 0);
});
