/** The acts on nodes that are members of a cluster, with a workload that a client asks all the time. */
import { writeFile } from "node:fs/promises";
import { type FleetVerdict, levelWithNextBoot } from "@ashlar/identity";
import type { KubeNode } from "@ashlar/kube";
import type { Lab } from "@ashlar/lab";
import { type LaterAct, publishNextKubernetes } from "../acts.ts";
import { FIRST_KUBERNETES, NEXT_KUBERNETES } from "../acts/extend-nodes.ts";
import { GOOD, UNHEALTHY } from "../acts/update-node.ts";
import type { Script } from "../script.ts";
import { isProven, type Outcome, type Stage } from "../stage.ts";
import { Cluster } from "./cluster.ts";
import { runPrivilegedPod } from "./privileged-pod.ts";
import { ServiceClient, summarize } from "./service-client.ts";
import { WORKLOAD_MANIFEST } from "./workload.ts";

/** A control plane, two nodes that join it by their file, and a workload on both. Gives the verdict on both. */
export async function provisionCluster(stage: Stage, script: Script, name: string): Promise<FleetVerdict> {
  await script.step("Two nodes join a cluster, from one Butane file", async () => {
    const cluster = ["--cluster", "--workers", "2", "--kubernetes", FIRST_KUBERNETES];
    const machines = ["--image", stage.path("image"), "--config", "examples/worker.bu"];
    const place = ["--name", name, "--repo", stage.path("repository"), "--keys", stage.path("keys")];
    await stage.mustRun("lab", "up", ...cluster, ...machines, ...place);
  });
  const cluster = new Cluster(stage, await stage.lab(name));
  await script.step("A workload runs on both", async () => {
    const path = stage.path("workload.yaml");
    await writeFile(path, WORKLOAD_MANIFEST);
    await cluster.show("apply", "-f", path);
    await cluster.waitForPods();
    await cluster.show("get", "nodes,pods", "-o", "wide");
  });
  return await script.step("Prove that both run exactly what was declared", async () => {
    const { fleet } = await stage.proveLab(name, "--evidence", stage.path("evidence"));
    return fleet;
  });
}

export async function playClusterAct(name: LaterAct, stage: Stage, script: Script, lab: Lab): Promise<void> {
  switch (name) {
    case "update":
      return await updateNodes(stage, script, lab);
    case "kubelet":
      return await updateKubelet(stage, script, lab);
    case "attacks":
      return await script.attempt("Attack 7: a privileged pod", async () => runPrivilegedPod(stage, lab));
  }
}

async function updateNodes(stage: Stage, script: Script, lab: Lab): Promise<void> {
  const cluster = new Cluster(stage, lab);
  await script.attempt("Update both nodes, one after the other", async () => {
    const counted = await countRequests(stage, script, cluster, async () =>
      stage.update("--kubernetes", "--lab", lab.name, "--to", GOOD),
    );
    return await judgeUpdate(stage, lab, cluster, counted);
  });
  await script.attempt("Update them to a release that is not healthy", async () => {
    const counted = await countRequests(stage, script, cluster, async () =>
      cluster.watch(async () => stage.update("--kubernetes", "--lab", lab.name, "--to", UNHEALTHY, "--retry")),
    );
    return await judgeUnhealthy(stage, lab, counted);
  });
}

async function updateKubelet(stage: Stage, script: Script, lab: Lab): Promise<void> {
  const cluster = new Cluster(stage, lab);
  await script.attempt("Update the kubelet without a reboot", async () => {
    await publishNextKubernetes(stage);
    const before = await cluster.waitForPods();
    const to = ["--component", "kubernetes", "--to", NEXT_KUBERNETES, "--only", "node-1"];
    const { result, words, failed } = await countRequests(stage, script, cluster, async () =>
      cluster.watch(async () => stage.update("--lab", lab.name, ...to)),
    );
    const after = await cluster.pods();
    const { fleet } = await stage.proveLab(lab.name);
    const kubelets = (await cluster.members()).map(({ name, kubeletVersion }) => `${name} ${kubeletVersion}`);
    const restarted = after.filter(
      ({ name, restarts }) => restarts !== before.find((each) => each.name === name)?.restarts,
    );
    const away = namesOf(result.seen, ({ isReady }) => !isReady);
    return {
      attempt: `node-1's kubelet is updated to ${NEXT_KUBERNETES} while its pod serves`,
      result: `${kubelets.join(", ")}; ${isProven(fleet) ? "proven" : fleet.verdict}; pods restarted: ${restarted.length}; not ready meanwhile: ${away}; ${words}`,
      held:
        result.result.status === 0 &&
        isProven(fleet) &&
        kubelets.join() === `node-1 ${NEXT_KUBERNETES},node-2 ${FIRST_KUBERNETES}` &&
        restarted.length === 0 &&
        away === "none" &&
        failed === 0,
    };
  });
}

type Counted<T> = { readonly result: T; readonly words: string; readonly failed: number };

/** Asks the workload's Service ten times a second while `work` goes on. */
async function countRequests<T>(
  stage: Stage,
  script: Script,
  cluster: Cluster,
  work: () => Promise<T>,
): Promise<Counted<T>> {
  await cluster.waitForPods();
  const client = new ServiceClient({ ports: cluster.servicePorts, signal: stage.signal });
  client.start();
  try {
    const result = await work();
    const counts = await client.stop();
    script.addRequests(counts);
    return { result, ...summarize(counts) };
  } finally {
    await client.stop();
  }
}

async function judgeUpdate(
  stage: Stage,
  { name }: Lab,
  cluster: Cluster,
  { result, words, failed }: Counted<{ readonly status: number }>,
): Promise<Outcome> {
  const { fleet } = await stage.proveLab(name);
  const members = await cluster.members();
  const away = namesOf(members, ({ isReady, cordon }) => !isReady || cordon !== "none");
  const releases = fleet.nodes.map((node) => `${node.name} ${node.release ?? "?"} ${levelWithNextBoot(node)}`);
  return {
    attempt: `both nodes are updated to ${GOOD}: drained, restarted, proven, and given work again, while a client asks`,
    result: `${releases.join(", ")}; not ready or cordoned: ${away}; ${words}`,
    held:
      result.status === 0 &&
      releases.join() === `node-1 ${GOOD} proven,node-2 ${GOOD} proven` &&
      fleet.identities === 1 &&
      away === "none" &&
      failed === 0,
  };
}

async function judgeUnhealthy(
  stage: Stage,
  { name }: Lab,
  { result, words, failed }: Counted<{ result: Awaited<ReturnType<Stage["update"]>>; seen: readonly KubeNode[] }>,
): Promise<Outcome> {
  const { fleet } = await stage.proveLab(name);
  const failure = result.result.nodes[0]?.failure;
  const drained = namesOf(result.seen, ({ cordon }) => cordon !== "none");
  const releases = fleet.nodes.map((node) => `${node.name} ${node.release ?? "?"} ${levelWithNextBoot(node)}`);
  return {
    attempt: `both nodes are to be updated to ${UNHEALTHY}, whose health check fails`,
    result: `node-1 rolled back on its own: ${failure?.check ?? "no check named"}; ${releases.join(", ")}; drained: ${drained}; ${words}`,
    held:
      result.result.status === 1 &&
      failure?.version === UNHEALTHY &&
      releases.join() === `node-1 ${GOOD} proven,node-2 ${GOOD} proven` &&
      drained === "node-1" &&
      failed === 0,
  };
}

function namesOf(members: readonly KubeNode[], matches: (member: KubeNode) => boolean): string {
  return [...new Set(members.filter(matches).map(({ name }) => name))].join(" ") || "none";
}
