import { AshlarError } from "@ashlar/base";
import type { Command } from "commander";
import type { DrainPolicy } from "@ashlar/rollout";
import { parseSeconds } from "../seconds.ts";

/** Which cluster, on the command line. */
export type ClusterOptions = {
  readonly kubernetes?: true;
  readonly kubeconfig?: string;
  readonly context?: string;
};

export type DrainOptions = {
  readonly drainTimeout?: number;
  readonly gracePeriod?: number;
  readonly deleteEmptydirData?: true;
  readonly forceDrain?: true;
};

/** Under emulation a pod takes a minute to end, and PodDisruptionBudgets let one go after the other. */
const DEFAULT_DRAIN_SECONDS = 1800;
const OF_A_DRAIN = { least: 0, most: 9_999_999 };

export function withClusterOptions(command: Command): Command {
  return command
    .option("--kubernetes", "the nodes of a Kubernetes cluster; with --lab those of the lab's cluster")
    .option("--kubeconfig <file>", "with --kubernetes (default: $KUBECONFIG, ~/.kube/config, or the lab's)")
    .option("--context <name>", "the context of the kubeconfig (default: its current-context)");
}

/** The names are those of `kubectl drain`, but for its `--force`, which could mean anything here. */
export function withDrainOptions(command: Command): Command {
  return command
    .option(
      "--drain-timeout <seconds>",
      `how long the pods of a node may take to go (default: ${DEFAULT_DRAIN_SECONDS})`,
      parseSeconds("--drain-timeout", OF_A_DRAIN),
    )
    .option(
      "--grace-period <seconds>",
      "what each pod gets to end (default: what it says itself)",
      parseSeconds("--grace-period", OF_A_DRAIN),
    )
    .option("--delete-emptydir-data", "evict also pods whose emptyDir volumes are lost with them")
    .option("--force-drain", "evict also pods that nobody makes anew");
}

/** @throws AshlarError `usage` for an option that says something about a cluster that is not asked for */
export function refuseWithoutCluster(options: ClusterOptions & DrainOptions): void {
  if (options.kubernetes === true) return;
  const given = OF_A_CLUSTER.find(([, name]) => options[name] !== undefined);
  if (given !== undefined) throw new AshlarError("usage", `expected ${given[0]} only with --kubernetes`);
}

const OF_A_CLUSTER = [
  ["--kubeconfig", "kubeconfig"],
  ["--context", "context"],
  ["--drain-timeout", "drainTimeout"],
  ["--grace-period", "gracePeriod"],
  ["--delete-emptydir-data", "deleteEmptydirData"],
  ["--force-drain", "forceDrain"],
] as const;

export function drainPolicyOf(options: DrainOptions): DrainPolicy {
  return {
    timeoutMs: (options.drainTimeout ?? DEFAULT_DRAIN_SECONDS) * 1000,
    graceSeconds: options.gracePeriod,
    deleteEmptyDirs: options.deleteEmptydirData === true,
    force: options.forceDrain === true,
  };
}
