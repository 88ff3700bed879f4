import type { LabPaths } from "../lab-paths.ts";
import { isApiServerReady } from "./api-server.ts";
import { clusterPaths } from "./cluster-paths.ts";
import { CONTROL_PLANE_PROGRAMS, type ClusterState } from "./cluster-state.ts";
import { runningPrograms } from "./control-plane.ts";
import { membersOf } from "./members.ts";

export type ClusterStatus = {
  readonly version: string;
  /** A stopped one starts again with the first node that is powered on. */
  readonly state: "running" | "stopped" | "unreachable";
  /** As this computer reaches it. */
  readonly server: string;
  readonly kubeconfig: string;
  /** Null when the API server does not answer. */
  readonly nodes: readonly { readonly name: string; readonly ready: boolean }[] | null;
};

const READY_TIMEOUT_MS = 10_000;

export async function clusterStatus(lab: LabPaths, state: ClusterState): Promise<ClusterStatus> {
  const paths = clusterPaths(lab);
  const known = {
    version: state.version,
    server: `https://127.0.0.1:${state.apiPort}`,
    kubeconfig: paths.kubeconfig,
  };
  const running = await runningPrograms(lab);
  if (running.length === 0) return { ...known, state: "stopped", nodes: null };
  const isReady = await isApiServerReady(paths, state.apiPort, READY_TIMEOUT_MS);
  const isWhole = CONTROL_PLANE_PROGRAMS.every((program) => running.includes(program));
  const nodes = isReady ? ((await membersOf(paths, state)) ?? null) : null;
  return { ...known, state: isReady && isWhole ? "running" : "unreachable", nodes };
}
