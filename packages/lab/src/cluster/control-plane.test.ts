import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { request } from "node:https";
import { once } from "node:events";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { cacheDirectory, findProcesses, isPortFree, runForText } from "@ashlar/host";
import { labDown, labUp, openLab } from "../index.ts";
import { labPaths } from "../lab-paths.ts";
import { readLabState } from "../lab-state.ts";
import { summarizeLabs } from "../list-labs.ts";
import { hasCode, missingTools, withLabs } from "../test-labs.ts";
import { clusterPaths } from "./cluster-paths.ts";
import type { ClusterPrograms } from "./cluster-state.ts";

/*
 * The real etcd and control plane, where `ashlar lab up --cluster` has built them, with machines whose disks are empty. What
 * nodes do with them is shown by the end-to-end tests.
 */

const NAMES = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubeadm", "kubectl"] as const;

async function programsInCache(context: TestContext): Promise<ClusterPrograms | undefined> {
  const cache = join(cacheDirectory(), "image");
  const steps = await readdir(cache).catch(() => []);
  const places = NAMES.map((name) => [
    name,
    steps.map((step) => join(cache, step, "usr/bin", name)).find((path) => existsSync(path)),
  ]);
  if (missingTools === false && places.every(([, path]) => path !== undefined)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each of the names has a path
    return Object.fromEntries(places) as ClusterPrograms;
  }
  context.diagnostic(missingTools === false ? "no control plane has been built on this computer" : missingTools);
  return undefined;
}

/** What the API server answers to a bearer of this token, or to anybody. */
async function askApi(port: number, ca: string, path: string, token?: string): Promise<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const asked = request({ host: "127.0.0.1", port, path, ca, agent: false, headers }).end();
  const [response] = await once(asked, "response");
  return Buffer.concat(await response.toArray()).toString("utf8");
}

test("a lab's cluster: one class, nodes that can join, a crash, nothing left", async (context) => {
  const programs = await programsInCache(context);
  if (programs === undefined) return;
  await withLabs(async (options, image) => {
    const cluster = { programs, images: [] };
    // Where programs of Kubernetes write when they are not told otherwise.
    const home = join(image, "home");
    const before = process.env["HOME"];
    context.after(() => {
      if (before !== undefined) process.env["HOME"] = before;
    });
    process.env["HOME"] = home;
    await assert.rejects(labUp({ ...options, nodes: 2, cluster }), hasCode("unavailable"), "empty disks");
    const [lab, paths] = [await openLab("one"), labPaths("one")];
    const state = await readLabState(paths);
    const { apiPort = 0, imagePort = 0 } = state.cluster ?? {};
    const first = await lab.clusterStatus();
    assert.deepEqual([first?.state, first?.nodes], ["running", []]);

    const ca = await readFile(join(clusterPaths(paths).pki, "ca.crt"), "utf8");
    const info = await askApi(apiPort, ca, "/api/v1/namespaces/kube-public/configmaps/cluster-info");
    assert.match(info, new RegExp(`https://10\\.0\\.2\\.2:${apiPort}\\b`, "u"), "where nodes reach it");
    assert.doesNotMatch(info, /127\.0\.0\.1/u);

    const [one, two] = lab.nodes.map(({ nodeConfig }) => decodeURIComponent(Buffer.from(nodeConfig).toString()));
    const token = /token: ([a-z2-7]{6}\.[a-z2-7]{16})\n/u.exec(one ?? "")?.[1] ?? "";
    assert.match(
      info,
      new RegExp(`"jws-kubeconfig-${token.split(".", 1)[0]}"`, "u"),
      "signed for those with the token",
    );
    const config = await askApi(apiPort, ca, "/api/v1/namespaces/kube-system/configmaps/kubelet-config", token);
    assert.match(config, /KubeletConfiguration/u, "what the token is for");
    assert.match(await askApi(apiPort, ca, "/api/v1/namespaces/kube-system/secrets", token), /"Forbidden"/u);

    assert.ok(two?.includes(token), "each node's own part has it");
    assert.notEqual(one, two);
    const classes = lab.nodes.map(({ classConfig }) => Buffer.from(classConfig).toString());
    assert.deepEqual(
      classes,
      Array(2).fill(Buffer.from(options.config.classConfig).toString()),
      "the class has nothing",
    );

    const kubectl = async (...words: readonly string[]): Promise<string> =>
      runForText(programs.kubectl, words, { env: lab.cluster?.environment ?? {} });
    assert.equal(await kubectl("auth", "can-i", "*", "*"), "yes");
    assert.match(await throughProxy(clusterPaths(paths).proxySocket, "10.90.0.12:10250"), /^HTTP\/1\.1 200 /u);
    assert.match(await throughProxy(clusterPaths(paths).proxySocket, "10.90.0.13:10250"), /^HTTP\/1\.1 403 /u);

    const all = await findProcesses((argv) => argv.some((each) => each.includes(clusterPaths(paths).directory)));
    assert.equal(all.length, 5);
    for (const { pid } of all) process.kill(pid, "SIGKILL");
    await lab.stop("node-1", { force: true });
    await lab.start("node-1", { wait: false });
    assert.equal((await lab.clusterStatus())?.state, "running", "it comes back with the first machine");
    assert.match(await kubectl("get", "configmap", "--namespace=kube-public", "cluster-info"), /cluster-info/u);

    assert.ok(await labDown("one"));
    assert.ok(!existsSync(home));
    for (const port of [apiPort, imagePort]) assert.ok(await isPortFree(port));
  });
});

test("a control plane alone comes up while that of another lab does not, which Ctrl-C ends", async (context) => {
  const programs = await programsInCache(context);
  if (programs === undefined) return;
  await withLabs(async (_, image) => {
    const hanging = join(image, "kube-apiserver");
    await writeFile(hanging, "#!/bin/sh\nexec sleep 86397\n", { mode: 0o755 });
    const options = { nodes: 0, accelerator: "tcg" } as const;
    const interruption = new AbortController();
    const { promise: starts, resolve: onStart } = Promise.withResolvers<void>();
    const up = labUp({
      ...options,
      name: "hanging",
      cluster: { programs: { ...programs, "kube-apiserver": hanging }, images: [] },
      signal: interruption.signal,
      onProgress: (progress) => {
        if ("message" in progress && progress.message.includes("starting kube-apiserver")) onStart();
      },
    });
    await Promise.race([starts, up]);
    const lab = await labUp({ ...options, name: "alone", cluster: { programs, images: [] } });
    assert.deepEqual([lab.nodes, await lab.status()], [[], []]);
    const status = await lab.clusterStatus();
    assert.deepEqual([status?.state, status?.nodes], ["running", []]);
    assert.deepEqual(summarizeLabs(), [
      { name: "alone", nodes: 0, kubernetes: status?.version },
      { name: "hanging", nodes: null, kubernetes: null },
    ]);
    assert.ok(await labDown("alone"));
    interruption.abort();
    await assert.rejects(up, hasCode("interrupted"));
    assert.deepEqual(await findProcesses((argv) => argv.at(-1) === "86397"), []);
  });
});

test("what is not there is said before anything is made", async () => {
  await withLabs(async (options, image) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each of the names has a path
    const programs = Object.fromEntries(NAMES.map((name) => [name, join(image, name)])) as ClusterPrograms;
    await assert.rejects(labUp({ ...options, cluster: { programs, images: [] } }), {
      code: "not-found",
      message: /expected the program etcd of the control plane in .*\/etcd, found none/u,
    });
  });
});

async function throughProxy(path: string, target: string): Promise<string> {
  const socket = createConnection({ path });
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: lab\r\n\r\n`);
  const [chunk]: unknown[] = await once(socket, "data");
  socket.destroy();
  return String(chunk);
}
