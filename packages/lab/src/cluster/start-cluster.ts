import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { runForText, throwIfInterrupted } from "@ashlar/host";
import type { LabPaths } from "../lab-paths.ts";
import { clusterPaths } from "./cluster-paths.ts";
import type { ClusterPrograms, ClusterState } from "./cluster-state.ts";
import { requireControlPlane, startClusterServers, startControlPlane } from "./control-plane.ts";
import { makeCredentials } from "./credentials.ts";
import { parseReference, type LabImage } from "./image-server.ts";
import type { ClusterMembership } from "./node-part.ts";
import { setUpCluster } from "./set-up-cluster.ts";

/** What a lab's cluster is made of. */
export type LabCluster = {
  readonly programs: ClusterPrograms;
  /** kube-proxy and what pods use. CoreDNS is set up when it is among them. */
  readonly images: readonly LabImage[];
};

/**
 * Gives the version of a cluster's programs.
 *
 * @throws AshlarError `not-found` when one of them is not there, `malformed` for an image whose name cannot be one
 */
export async function checkCluster({ programs, images }: LabCluster): Promise<string> {
  for (const [name, path] of Object.entries(programs)) {
    await access(path, constants.X_OK).catch(() => {
      throw new AshlarError("not-found", `expected the program ${name} of the control plane in ${path}, found none`);
    });
  }
  for (const { reference, layout } of images) {
    parseReference(reference);
    await access(join(layout, "index.json")).catch(() => {
      throw new AshlarError("not-found", `expected an OCI image layout of ${reference} in ${layout}, found none`);
    });
  }
  return await runForText(programs.kubeadm, ["version", "-o", "short"]);
}

/**
 * Makes a cluster and starts its processes. Resolves when its API server is ready.
 *
 * @returns what nodes need to join, once setUpCluster has been there
 */
export async function startCluster(
  lab: LabPaths,
  state: ClusterState,
  say: (message: string) => void,
  signal?: AbortSignal,
): Promise<ClusterMembership> {
  const start = performance.now();
  say(`cluster: Kubernetes ${state.version}, its control plane as processes of this lab`);
  await startClusterServers(lab, state);
  const membership = await makeCredentials(clusterPaths(lab), state, signal);
  throwIfInterrupted(signal);
  await startControlPlane(lab, state, { onStart: (program) => say(`cluster: starting ${program}`), signal });
  throwIfInterrupted(signal);
  say(`cluster: the API server is ready (${Math.round((performance.now() - start) / 1000)} s)`);
  return membership;
}

/** Puts into a cluster what nodes need to join it. */
export async function prepareJoining(
  lab: LabPaths,
  state: ClusterState,
  { token }: ClusterMembership,
  say: (message: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const start = performance.now();
  await setUpCluster(clusterPaths(lab), state, {
    token,
    signal,
    requireControlPlane: async () => requireControlPlane(lab),
  });
  say(`cluster: nodes can join (${Math.round((performance.now() - start) / 1000)} s)`);
}
