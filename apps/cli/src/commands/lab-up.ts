import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AshlarError } from "@ashlar/base";
import type { LabRepository, LabUpOptions } from "@ashlar/lab";
import { Command, Option } from "commander";
import { filesDirOption, readClassConfig } from "../class-config.ts";
import { withInterruption } from "../interruption.ts";
import { clusterParts, parseContainerImage, type ClusterOptions } from "../lab/cluster-parts.ts";
import { jsonOption, nameOption, type Named } from "../lab/lab-options.ts";
import { printStatus } from "../lab/print-status.ts";
import { withProgress } from "../lab/with-progress.ts";

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
    readonly secureBoot?: "on" | "off";
    readonly repo?: string;
    readonly keys?: string;
    readonly releaseRoot?: string;
    readonly json?: true;
  };

export function upCommand(): Command {
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
    .addOption(
      new Option(
        "--secure-boot <state>",
        "on: the nodes' firmware enrols the image's keys at the first boot, and starts nothing else after it (default: off)",
      ).choices(["on", "off"]),
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
  ashlar lab up --image out/signed --config examples/node.bu --secure-boot on
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
          secureBoot: options.secureBoot === "on",
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

function parseWorkers(text: string): number {
  return text === "0" ? 0 : parseNumber(text);
}

function parseNumber(text: string): number {
  if (!/^[1-9][0-9]{0,6}$/u.test(text)) throw new AshlarError("usage", `expected a number from 1, found ${text}`);
  return Number(text);
}
