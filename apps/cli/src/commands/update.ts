import { AshlarError } from "@ashlar/base";
import { Command } from "commander";
import { withInterruption } from "../interruption.ts";
import { withSessionOptions } from "../update/options.ts";
import type { Cluster } from "@ashlar/kube";
import type { Kubelet, Session, UpdateResult } from "@ashlar/rollout";
import type { SessionOptions } from "../update/session-of-options.ts";
import {
  drainPolicyOf,
  refuseWithoutCluster,
  withClusterOptions,
  withDrainOptions,
  type ClusterOptions,
  type DrainOptions,
} from "../cluster/cluster-options.ts";

type UpdateOptions = Omit<SessionOptions, "urls" | "cluster"> &
  ClusterOptions &
  DrainOptions & {
    readonly nodes?: string;
    readonly fleet?: string;
    readonly component?: string;
    readonly to?: string;
    readonly channel?: string;
    readonly only?: string;
    readonly allowDowngrade?: true;
    readonly retry?: true;
    readonly reboot: boolean;
    readonly timeout: number;
    readonly json?: true;
  };

export function updateCommand(): Command {
  const command = new Command("update")
    .description("Move nodes to another release or component, one after the other, each proven before and after")
    .option("--lab <name>", "the nodes of a lab")
    .option("--nodes <urls>", "https URLs of nodes' agents, separated by commas");
  withClusterOptions(command)
    .option("--fleet <file>", "the nodes that a fleet.yaml names, with their classes")
    .option("--component <name>", "an extension of the nodes, instead of their release: no node restarts")
    .option(
      "--to <version>",
      "the release (default: the channel's), or the component's version (default: the newest that the nodes allow)",
    )
    .option(
      "--channel <name>",
      "the channel whose release to install, and whose minimum version applies (default: stable)",
    )
    .option("--only <names>", "only these of the nodes, separated by commas")
    .option("--allow-downgrade", "even to an older version; never below the channel's minimum version")
    .option("--retry", "even if the version has failed on a node before")
    .option("--no-reboot", "only stage the release: it boots at the next restart");
  return withSessionOptions(withDrainOptions(command))
    .addHelpText(
      "after",
      `
Each node in turn: prove what it runs, stage the release in its other slot, prove that it boots next, restart, wait until
the node finds itself healthy, prove the new release. The command stops at the first node that is not proven. A node that
does not become healthy rolls back on its own and reports why. After an interruption the same command resumes.

With --kubernetes the nodes come from the API server of a cluster, and each is drained before it restarts: cordoned, its pods
evicted as PodDisruptionBudgets allow, those of DaemonSets left. A node that cannot be drained is not restarted: the command
names each pod that did not go and why, and uncordons the node, if it was the one that had cordoned it. A restarted node is
uncordoned when it is proven and its Node is Ready in the boot that was proven. An interrupted command uncordons a node that
has not restarted; the annotation ashlar.dev/cordoned-for remembers it for one that was killed.
A kubelet that is newer than the API server, or more than three minor versions older, is refused before anything changes.
A node's address is its Node's InternalIP. Its class config is --config FILE; or with --config DIR that of its label
ashlar.node-restriction.kubernetes.io/class, as CLASS.bu or CLASS.ign: a label that no kubelet can write.

With --fleet the nodes are those that the file names, in its order; --releases, --ek-roots and --cloud-roots take the place of what
it says. A class that names a release has to name the new one afterwards, so that \`ashlar prove\` expects it.

With --component each node in turn fetches the extension's version, merges it, restarts the extension's units and checks
its health. A node on which that fails rolls back on its own and reports why. Nodes accept the versions that their configs
allow.

Exit status: 0 all nodes run (or, with --no-reboot, have staged) the release; 1 it stopped at a node.

Examples:
  ashlar update --lab lab --to 1.1.0
  ashlar update --lab lab --channel stable --only node-1 --json
  ashlar update --lab lab --component kubernetes --to v1.33.5
  ashlar update --fleet fleet.yaml --channel stable --operator-key operator.pem
  ashlar update --kubernetes --lab lab --to 1.1.0 --drain-timeout 600
  ashlar update --kubernetes --context prod --channel stable --operator-key operator.pem --grace-period 30 \\
    --releases https://releases.example.org/ --release-root release-root.json \\
    --config classes --node-configs nodes --ek-roots makers.pem
  ashlar update --nodes https://worker-1:7443,https://worker-2:7443 --operator-key operator.pem \\
    --releases https://releases.example.org/ --release-root release-root.json \\
    --config worker.bu --node-configs nodes --ek-roots makers.pem`,
    )
    .action(async (options: UpdateOptions) => {
      refuseContradictions(options);
      const { printResult } = await import("../update/run-update.ts");
      printResult(await withInterruption(async (signal) => carryOut(options, signal)), options.json === true);
    });
}

async function carryOut(options: UpdateOptions, signal: AbortSignal): Promise<UpdateResult> {
  const work = options.component === undefined ? update : updateComponent;
  if (options.kubernetes !== true) return await work(options, signal);
  const { openCluster } = await import("../cluster/nodes-of-cluster.ts");
  using cluster = await openCluster(options);
  return await work(options, signal, cluster);
}

function refuseContradictions(options: UpdateOptions): void {
  const { lab, nodes, fleet, kubernetes, component, to, channel, nodeConfigs, reboot } = options;
  const sources = kubernetes === true ? [kubernetes, nodes, fleet] : [lab, nodes, fleet];
  if (sources.filter((source) => source !== undefined).length !== 1) {
    throw new AshlarError("usage", "expected exactly one of --lab, --nodes, --fleet and --kubernetes", {
      hint: "for example: ashlar update --lab lab --to 1.1.0; --kubernetes may name a lab whose cluster it is",
    });
  }
  refuseWithoutCluster(options);
  if (
    fleet !== undefined &&
    (options.config !== undefined || options.filesDir !== undefined || nodeConfigs !== undefined)
  ) {
    throw new AshlarError("usage", "expected no --config, --files-dir and --node-configs with --fleet: it names them");
  }
  if (component !== undefined && (channel !== undefined || !reboot)) {
    throw new AshlarError("usage", "expected neither --channel nor --no-reboot with --component", {
      hint: "a component has no channel, and no node restarts for it",
    });
  }
  if (component === undefined && to === undefined && channel === undefined) {
    throw new AshlarError("usage", "expected --to or --channel", {
      hint: "for example: ashlar update --lab lab --channel stable",
    });
  }
  if (lab !== undefined && nodeConfigs !== undefined) {
    throw new AshlarError("usage", "expected --node-configs only with --nodes, or --kubernetes without --lab");
  }
}

async function update(options: UpdateOptions, signal: AbortSignal, cluster?: Cluster): Promise<UpdateResult> {
  const { chooseTarget, kubeletOfRelease } = await import("@ashlar/rollout");
  const { withProgress, withUpdateLock } = await import("../update/run-update.ts");
  const { tellRelease } = await import("../update/tell-step.ts");
  const { updateFleet } = await import("@ashlar/rollout");
  const { sessionOfOptions } = await import("../update/session-of-options.ts");
  const session = await sessionOfOptions({ ...options, urls: options.nodes, cluster }, signal);
  if (session.repository === undefined) {
    throw new AshlarError("usage", "expected --releases, the repository that has the release", {
      hint: "or a lab that serves one: ashlar lab up --repo DIR --keys KEYDIR",
    });
  }
  const target = chooseTarget(session.repository.index, { version: options.to, channel: options.channel });
  const goal = {
    target,
    order: "update",
    reboot: options.reboot,
    allowDowngrade: options.allowDowngrade === true,
    retry: options.retry === true,
    bootTimeoutMs: options.timeout * 1000,
  } as const;
  return await withUpdateLock(session.recordPath, async () => {
    // Read before any node changes: whoever proves the nodes later needs it, too.
    const kubelet = kubeletOfRelease(await session.known.get(target));
    if (kubelet !== undefined) await refuseSkew(kubelet, cluster, signal);
    const nodes = chooseNodes(session, options.only).map((node) => session.access(node, target));
    const { recordPath } = session;
    const members =
      cluster === undefined
        ? {}
        : { cluster: { member: (name: string) => cluster.member(name), policy: drainPolicyOf(options) } };
    return await withProgress(tellRelease(goal), async (onEvent) =>
      updateFleet(nodes, goal, { recordPath, onEvent, signal, ...members }),
    );
  });
}

async function updateComponent(options: UpdateOptions, signal: AbortSignal, cluster?: Cluster): Promise<UpdateResult> {
  const { chooseComponent, holdsKubelet } = await import("@ashlar/rollout");
  const { withProgress, withUpdateLock } = await import("../update/run-update.ts");
  const { sessionOfOptions } = await import("../update/session-of-options.ts");
  const { tellComponent } = await import("../update/tell-step.ts");
  const { updateComponents } = await import("@ashlar/rollout");
  const session = await sessionOfOptions({ ...options, urls: options.nodes, cluster }, signal);
  const chosen = chooseNodes(session, options.only);
  const { name, kind, version, rootHash } = chooseComponent(
    chosen,
    session.extensions,
    options.component ?? "",
    options.to,
  );
  if (holdsKubelet(name)) await refuseSkew({ from: `the extension ${name}`, version }, cluster, signal);
  const goal = {
    component: name,
    kind,
    target: version,
    rootHash,
    allowDowngrade: options.allowDowngrade === true,
    retry: options.retry === true,
    timeoutMs: options.timeout * 1000,
  } as const;
  return await withUpdateLock(session.recordPath, async () => {
    const nodes = chosen.map((node) => session.component(node, goal));
    const recordPath = session.extensionRecordPath;
    return await withProgress(tellComponent(goal), async (onEvent) =>
      updateComponents(nodes, goal, { recordPath, onEvent, signal }),
    );
  });
}

/** @throws AshlarError `invalid` before anything changes: a kubelet that the cluster's API server does not support */
async function refuseSkew(kubelet: Kubelet, cluster: Cluster | undefined, signal: AbortSignal): Promise<void> {
  if (cluster === undefined) return;
  const { versionSkew } = await import("@ashlar/rollout");
  const why = versionSkew(kubelet, await cluster.serverVersion(signal));
  if (why !== undefined) throw new AshlarError("invalid", why);
}

function chooseNodes({ nodes }: Session, only: string | undefined): Session["nodes"] {
  if (only === undefined) return requireDeclared(nodes);
  const names = new Set(only.split(",").map((name) => name.trim()));
  const stranger = [...names].find((name) => !nodes.some((node) => node.name === name));
  if (stranger === undefined) return requireDeclared(nodes.filter(({ name }) => names.has(name)));
  const known = nodes.map(({ name }) => name).join(", ");
  throw new AshlarError("usage", `expected names of the nodes after --only (${known}), found ${stranger}`);
}

/** @throws AshlarError `invalid` before anything changes: a node that cannot be proven would only stop the others later */
function requireDeclared(nodes: Session["nodes"]): Session["nodes"] {
  const faults = nodes.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault}`]));
  if (faults.length === 0) return nodes;
  throw new AshlarError("invalid", `expected to know what each node was declared to be; ${faults.join("; ")}`, {
    hint: "leave nodes out by naming the others with --only",
  });
}
