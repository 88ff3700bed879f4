import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AshlarError } from "@ashlar/base";
import { draw, drawsOnTerminal, printJson, printLine, reportLine, styled } from "@ashlar/host/terminal";
import type {
  ClusterStatus,
  Lab,
  LabProgress,
  LabRepository,
  LabSummary,
  LabUpOptions,
  NodeStatus,
  StartOptions,
} from "@ashlar/lab";
import { Command, Option } from "commander";
import { filesDirOption, readClassConfig } from "../class-config.ts";
import { withInterruption } from "../interruption.ts";
import { clusterParts, parseContainerImage, type ClusterOptions } from "../lab/cluster-parts.ts";
import { kubeconfigCommand, kubectlCommand } from "./lab-cluster.ts";

type Named = { readonly name: string };

export function labCommand(): Command {
  return new Command("lab")
    .description("Run nodes as virtual machines on this computer")
    .addHelpText(
      "after",
      `
Examples:
  ashlar lab up --nodes 2 --image out/image --config examples/node.bu
  ashlar lab ssh node-1 -- systemctl --failed
  ashlar lab down`,
    )
    .addCommand(upCommand())
    .addCommand(listCommand())
    .addCommand(statusCommand())
    .addCommand(sshCommand())
    .addCommand(consoleCommand())
    .addCommand(kubectlCommand(nameOption()))
    .addCommand(kubeconfigCommand(nameOption()))
    .addCommand(startCommand())
    .addCommand(stopCommand())
    .addCommand(restartCommand())
    .addCommand(downCommand());
}

type UpOptions = Named &
  ClusterOptions & {
    readonly nodes?: number;
    readonly image?: string;
    readonly config?: string;
    readonly filesDir?: string;
    readonly processors?: number;
    readonly memory?: number;
    readonly accelerator?: "kvm" | "tcg";
    readonly pcrBanks?: "sha256" | "sha384" | "sha256,sha384";
    readonly repo?: string;
    readonly keys?: string;
    readonly releaseRoot?: string;
    readonly json?: true;
  };

function upCommand(): Command {
  return new Command("up")
    .description("Create a lab and wait until its nodes answer")
    .option("--image <dir>", "the image that `ashlar image build` made")
    .option("--config <file>", "the nodes' class config: Butane, or Ignition when it ends in .ign")
    .addOption(filesDirOption())
    .option("--nodes <number>", "how many nodes (default: 2)", parseNumber)
    .addOption(nameOption())
    .option("--processors <number>", "of each node (default: 2)", parseNumber)
    .option("--memory <MiB>", "of each node (default: 2048)", parseNumber)
    .addOption(
      new Option("--accelerator <kind>", "how to run the machines (default: KVM where it works)").choices([
        "kvm",
        "tcg",
      ]),
    )
    .addOption(
      new Option("--pcr-banks <banks>", "of the nodes' TPMs (default: sha256)").choices([
        "sha256",
        "sha384",
        "sha256,sha384",
      ]),
    )
    .option("--repo <dir>", "a release repository, served to the nodes while any of them runs")
    .option("--keys <dir>", "with --repo: where its release-root.json is; the nodes trust it (default: the image's)")
    .addOption(new Option("--release-root <file>", "with --repo: the release-root.json itself").conflicts("keys"))
    .option("--cluster", "make a Kubernetes cluster, too, and wait until the nodes are ready in it")
    .addOption(
      new Option("--control-plane <where>", "with --cluster: as processes of this computer (default: host)").choices([
        "host",
      ]),
    )
    .addOption(
      new Option("--workers <number>", "with --cluster: how many nodes, 0 for the control plane alone (default: 2)")
        .argParser(parseWorkers)
        .conflicts("nodes"),
    )
    .option("--kubernetes <version>", "with --cluster: of the control plane (default: the Kubernetes recipe's)")
    .addOption(
      new Option("--container-image <name=dir>", "with --cluster: an OCI image layout that pods can use").argParser(
        parseContainerImage,
      ),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Each node has its own disk, its own TPM with a certificate from the lab's own authority, and ports of 127.0.0.1 that no
other lab has. With --repo each knows where releases are, and takes orders from the lab's own operator key: see
\`ashlar update\`. What the class config says about updates wins. Ctrl-C removes the unfinished lab. A node that does not
come up is kept for inspection.

With --cluster there are etcd and a Kubernetes control plane as processes of this user, a server of container images, and a
network between the nodes; they go with the lab. Nodes whose class has a unit kubeadm.service join this cluster, whatever
cluster the class says: token and address are in each node's own part. See \`ashlar lab kubectl\`. A Service with the
NodePort 30080 can be asked at the ports of this computer that \`ashlar lab status\` shows. With --workers 0 there is the
control plane alone, without --image and --config: an API server to try things with.

Examples:
  ashlar lab up --image out/image --config examples/node.bu
  ashlar lab up --image out/image --config examples/node.bu --repo releases --keys keys
  ashlar lab up --image out/image --config examples/worker.bu --repo releases --keys keys --cluster
  ashlar lab up --name api --cluster --workers 0
  ashlar lab up --name three --nodes 3 --image out/image --config examples/node.bu --memory 4096`,
    )
    .action(async (options: UpOptions) => {
      const nodes = options.workers ?? options.nodes ?? DEFAULT_NODES;
      const source = await readSource(options, nodes);
      const repository = await readRepository(options);
      const { labUp } = await import("@ashlar/lab");
      const { PCR_BANKS } = await import("@ashlar/protocol");
      const cluster = await withInterruption(async (signal) => clusterParts(options, signal));
      const lab = await withProgress(async (onProgress, signal) =>
        labUp({
          name: options.name,
          nodes,
          ...source,
          repository,
          cluster,
          processors: options.processors,
          memoryMiB: options.memory,
          accelerator: options.accelerator,
          pcrBanks: PCR_BANKS.filter((bank) => (options.pcrBanks ?? "sha256").split(",").includes(bank)),
          onProgress,
          signal,
        }),
      );
      await printStatus(lab, options.json === true);
    });
}

const DEFAULT_NODES = 2;

/** What the nodes are made from. Without nodes there is nothing to be made. */
async function readSource(
  { image, config, filesDir }: UpOptions,
  nodes: number,
): Promise<Pick<LabUpOptions, "image" | "config">> {
  if (nodes === 0) {
    const given = image === undefined ? config : image;
    if (given === undefined) return {};
    throw new AshlarError("usage", "expected neither --image nor --config with --workers 0: there are no nodes");
  }
  if (image === undefined || config === undefined) {
    throw new AshlarError("usage", "expected --image and --config, which nodes are made from", {
      hint: "for example: ashlar lab up --image out/image --config examples/node.bu",
    });
  }
  return { image, config: { classConfig: await readClassConfig(config, filesDir) } };
}

async function readRepository({ repo, keys, releaseRoot }: UpOptions): Promise<LabRepository | undefined> {
  if (repo === undefined) {
    if (keys === undefined && releaseRoot === undefined) return undefined;
    throw new AshlarError("usage", "expected --keys and --release-root only with --repo");
  }
  const rootPath = keys === undefined ? releaseRoot : join(keys, "release-root.json");
  if (!existsSync(join(repo, "metadata"))) {
    throw new AshlarError("not-found", `expected a release repository in ${repo}, but it has no metadata`, {
      hint: "make one with `ashlar release init`",
    });
  }
  const { readText } = await import("@ashlar/host");
  const trustedRoot = rootPath === undefined ? undefined : Buffer.from(await readText(rootPath, "release-root.json"));
  return { directory: repo, trustedRoot, command: [process.execPath, MAIN, "release", "serve"] };
}

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

function listCommand(): Command {
  return new Command("list")
    .description("Show the labs of this computer, and their clusters")
    .addOption(jsonOption())
    .action(async (options: { readonly json?: true }) => {
      // The rest of the package takes longer to load than this to do.
      const { summarizeLabs } = await import("@ashlar/lab/list");
      const labs = await summarizeLabs();
      if (options.json === true) printJson({ labs });
      else printTable([["LAB", "NODES", "CLUSTER"], ...labs.map(wordsAbout)]);
    });
}

function wordsAbout({ name, nodes, kubernetes }: LabSummary): string[] {
  return [name, nodes === null ? "unfinished" : String(nodes), kubernetes === null ? "-" : `Kubernetes ${kubernetes}`];
}

function statusCommand(): Command {
  return new Command("status")
    .description("Show the state of each node of a lab")
    .addOption(nameOption())
    .addOption(jsonOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab status\n  ashlar lab status --name three --json")
    .action(async (options: Named & { readonly json?: true }) => {
      await printStatus(await open(options), options.json === true);
    });
}

function sshCommand(): Command {
  return new Command("ssh")
    .description("Run a command on a node, or a shell, as the user core")
    .argument("<node>", "for example node-1")
    .argument("[command...]", "after --")
    .addOption(nameOption())
    .addHelpText(
      "after",
      `
Exits with the command's own status. The node's shell interprets the command, as with ssh: quote accordingly.

Examples:
  ashlar lab ssh node-1
  ashlar lab ssh node-1 -- systemctl is-system-running
  ashlar lab ssh node-2 --name three -- 'cat /etc/os-release | head -2'`,
    )
    .action(async (node: string, command: readonly string[], options: Named) => {
      const lab = await open(options);
      process.exitCode = await lab.shell(node, command);
    });
}

function consoleCommand(): Command {
  return new Command("console")
    .description("Connect this terminal to a node's serial console; Ctrl-] leaves")
    .argument("<node>", "for example node-1")
    .addOption(nameOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab console node-1")
    .action(async (node: string, options: Named) => {
      const lab = await open(options);
      await lab.console(node);
    });
}

type StartCliOptions = Named & {
  readonly config?: string;
  readonly filesDir?: string;
  readonly wait: boolean;
  readonly force?: true;
};

function startCommand(): Command {
  return withStartOptions(new Command("start").description("Power a node on"))
    .addHelpText(
      "after",
      `
Examples:
  ashlar lab start node-1
  ashlar lab start node-1 --config other.bu
  ashlar lab start node-1 --without-config`,
    )
    .action(async (node: string, options: StartCliOptions) => {
      await changeNode(options, async (lab, start) => lab.start(node, start));
    });
}

function restartCommand(): Command {
  return withStartOptions(new Command("restart").description("Shut a node down and power it on again"))
    .option("--force", "cut its power instead of shutting it down")
    .addHelpText("after", "\nExamples:\n  ashlar lab restart node-1\n  ashlar lab restart node-1 --force --no-wait")
    .action(async (node: string, options: StartCliOptions) => {
      await changeNode(options, async (lab, start) => lab.restart(node, { ...start, force: options.force }));
    });
}

function withStartOptions(command: Command): Command {
  return command
    .argument("<node>", "for example node-1")
    .option("--config <file>", "replace the node's declared config, for this start and later ones")
    .addOption(filesDirOption())
    .addOption(
      new Option("--without-config", "give it no config this time, as if no source answered").conflicts("config"),
    )
    .option("--no-wait", "do not wait until its agent answers")
    .addOption(nameOption());
}

function stopCommand(): Command {
  return new Command("stop")
    .description("Shut a node down")
    .argument("<node>", "for example node-1")
    .option("--force", "cut its power instead")
    .addOption(nameOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab stop node-1\n  ashlar lab stop node-1 --force")
    .action(async (node: string, options: Named & { readonly force?: true }) => {
      const lab = await open(options);
      await withInterruption(async (signal) => lab.stop(node, { force: options.force, signal }));
      reportLine(`${node}: stopped`);
    });
}

function downCommand(): Command {
  return new Command("down")
    .description("Remove a lab: its machines, disks and keys")
    .addOption(nameOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab down\n  ashlar lab down --name three")
    .action(async ({ name }: Named) => {
      const { labDown } = await import("@ashlar/lab");
      reportLine((await labDown(name)) ? `lab ${name}: removed` : `lab ${name}: there was nothing to remove`);
    });
}

async function open(options: Named): Promise<Lab> {
  const { openLab } = await import("@ashlar/lab");
  return await openLab(options.name);
}

async function changeNode(
  options: StartCliOptions & { readonly withoutConfig?: true },
  change: (lab: Lab, start: StartOptions) => Promise<void>,
): Promise<void> {
  const lab = await open(options);
  const classConfig =
    options.config === undefined ? undefined : await readClassConfig(options.config, options.filesDir);
  await withProgress(async (onProgress, signal) =>
    change(lab, { classConfig, withoutConfig: options.withoutConfig, wait: options.wait, onProgress, signal }),
  );
}

type OnProgress = (progress: LabProgress) => void;

async function withProgress<T>(work: (onProgress: OnProgress, signal: AbortSignal) => Promise<T>): Promise<T> {
  const { createProgressPrinter } = await import("@ashlar/lab");
  const printer = createProgressPrinter({
    write: draw,
    isTerminal: drawsOnTerminal(),
    nowMs: () => performance.now(),
  });
  try {
    return await withInterruption(async (signal) => work(printer.report, signal));
  } finally {
    printer.close();
  }
}

async function printStatus(lab: Lab, asJson: boolean): Promise<void> {
  const [nodes, cluster] = await Promise.all([lab.status(), lab.clusterStatus()]);
  if (asJson) {
    const members = cluster === undefined ? {} : { cluster };
    return printJson({ lab: lab.name, accelerator: lab.accelerator, nodes, ...members });
  }
  const rows = nodes.map((node) => [node.name, stateOf(node), uptimeOf(node), node.agentUrl, portsOf(node)]);
  printTable([["NODE", "STATE", "UPTIME", "AGENT", "PORT"], ...rows]);
  if (cluster !== undefined) printLine(clusterLine(cluster));
}

/** The first row is the header, and nothing without any other. */
function printTable(rows: readonly (readonly string[])[]): void {
  if (rows.length < 2) return;
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const [index, row] of rows.entries()) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ");
    printLine(index === 0 ? styled("bold", line.trimEnd()) : line.trimEnd());
  }
}

/** For example `cluster: Kubernetes v1.33.5 at https://127.0.0.1:22006, running; ready: node-1; not ready: node-2`. */
function clusterLine({ version, server, state, nodes }: ClusterStatus): string {
  const names = (ready: boolean): string =>
    (nodes ?? [])
      .filter((node) => node.ready === ready)
      .map(({ name }) => name)
      .join(", ");
  const known = [
    ["ready", names(true)],
    ["not ready", names(false)],
  ].filter(([, list]) => list !== "");
  return [`cluster: Kubernetes ${version} at ${server}, ${state}`, ...known.map((words) => words.join(": "))].join(
    "; ",
  );
}

function stateOf(node: NodeStatus): string {
  if (node.state !== "running") return node.state;
  return node.agent ? "running" : `starting (${node.phase})`;
}

function portsOf({ sshPort, servicePort }: NodeStatus): string {
  return servicePort === null ? `ssh ${sshPort}` : `ssh ${sshPort}, NodePort 30080 ${servicePort}`;
}

function uptimeOf(node: NodeStatus): string {
  return node.uptimeSeconds === null ? "-" : `${node.uptimeSeconds} s`;
}

function nameOption(): Option {
  return new Option("--name <lab>", "which lab").default("lab");
}

function jsonOption(): Option {
  return new Option("--json", "print the result as JSON");
}

function parseWorkers(text: string): number {
  return text === "0" ? 0 : parseNumber(text);
}

function parseNumber(text: string): number {
  if (!/^[1-9][0-9]{0,6}$/u.test(text)) throw new AshlarError("usage", `expected a number from 1, found ${text}`);
  return Number(text);
}
