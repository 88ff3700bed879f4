import { existsSync } from "node:fs";
import { AshlarError } from "@ashlar/base";
import type { TrustSources } from "@ashlar/verifier";
import { readClassConfig } from "../class-config.ts";
import type { NodeOptions } from "../node-options.ts";
import { nodesAtUrls, type DeclaredNodes } from "@ashlar/verifier/declared";
import { nodesOfLab } from "../prove/nodes-of-lab.ts";
import { openSession, type Session } from "@ashlar/rollout";
import type { Cluster } from "@ashlar/kube";

/** The options that every command has which gives nodes orders. */
export type SessionOptions = NodeOptions & {
  /** https URLs, separated by commas. */
  readonly urls?: string | undefined;
  readonly fleet?: string | undefined;
  readonly operatorKey?: string;
  /** Whose nodes they are, where that is a Kubernetes cluster. */
  readonly cluster?: Cluster | undefined;
};

/** Where things are that no option names. */
type Defaults = {
  readonly operatorKey?: string;
  readonly releases?: string;
  readonly releaseRoot?: string | undefined;
  readonly trust?: TrustSources | undefined;
  readonly extensions?: readonly string[];
};

/** @throws AshlarError `usage`, `not-found`, and whatever `openSession` throws */
export async function sessionOfOptions(options: SessionOptions, signal: AbortSignal): Promise<Session> {
  const { declared, defaults } = await findNodes(options, signal);
  const releases = options.releases ?? defaults.releases;
  return await openSession(
    {
      declared,
      operatorKey: options.operatorKey ?? defaults.operatorKey,
      repository:
        releases === undefined ? undefined : { releases, releaseRoot: options.releaseRoot ?? defaults.releaseRoot },
      image: options.image,
      ekRoots: options.ekRoots ?? defaults.trust?.ekRoots,
      cloudRoots: options.cloudRoots ?? defaults.trust?.cloudRoots,
      acceptExpiredEk: options.acceptExpiredEk ?? defaults.trust?.acceptExpired,
      fetchIntermediates: options.fetchIntermediates,
      pins: options.pins,
      extensions: [...(options.extension ?? []), ...(defaults.extensions ?? [])],
    },
    signal,
  );
}

async function findNodes(
  options: SessionOptions,
  signal: AbortSignal,
): Promise<{ declared: DeclaredNodes; defaults: Defaults }> {
  const { lab, cluster, fleet } = options;
  if (fleet !== undefined) return await findFleet(fleet, signal);
  const defaults = lab === undefined ? {} : await defaultsOfLab(lab);
  if (cluster !== undefined) {
    const { nodesOfCluster } = await import("../cluster/nodes-of-cluster.ts");
    return { declared: await nodesOfCluster(cluster, options, signal), defaults };
  }
  const classConfig =
    options.config === undefined ? undefined : await readClassConfig(options.config, options.filesDir);
  const declared =
    lab === undefined
      ? await nodesAtUrls(options.urls ?? "", classConfig, options.nodeConfigs)
      : await nodesOfLab(lab, classConfig);
  return { declared, defaults };
}

/** @throws AshlarError `usage` for what an update cannot tell apart: it has one policy, and drains no node of a file */
async function findFleet(path: string, signal: AbortSignal): Promise<{ declared: DeclaredNodes; defaults: Defaults }> {
  const { readFleet } = await import("../fleet/read-fleet.ts");
  const { nodesOfFleet } = await import("../fleet/nodes-of-fleet.ts");
  const file = await readFleet(path);
  if (file.fleet.clusters.length > 0) {
    throw new AshlarError("usage", `expected nodes by name or pattern in ${path}, found those of a cluster`, {
      hint: "`ashlar update --kubernetes` drains a cluster's nodes before they restart",
    });
  }
  const { repository, extensions, ...declared } = await nodesOfFleet(file, signal);
  const [trust, ...others] = new Map(declared.nodes.map((node) => [JSON.stringify(node.trust), node.trust])).values();
  if (others.length > 0) {
    throw new AshlarError("usage", `expected one trust policy for all classes in ${path}, found different ones`, {
      hint: "update each class with a fleet file of its own",
    });
  }
  return { declared, defaults: { ...repository, trust, extensions } };
}

async function defaultsOfLab(name: string): Promise<Defaults> {
  const { openLab } = await import("@ashlar/lab");
  const lab = await openLab(name);
  await lab.startRepository();
  const { repository } = lab;
  return {
    operatorKey: lab.operatorKeyPath,
    ...(repository === undefined ? {} : { releases: repository.directory }),
    ...(repository !== undefined && existsSync(repository.trustedRootPath)
      ? { releaseRoot: repository.trustedRootPath }
      : {}),
  };
}
