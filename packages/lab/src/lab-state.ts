import { readFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { isMissing, writeFileAtomically } from "@ashlar/host";
import { z } from "zod";
import { clusterState, type ClusterState } from "./cluster/cluster-state.ts";
import { labPaths, type LabPaths } from "./lab-paths.ts";
import { listLabs } from "./list-labs.ts";
import { ACCELERATORS, type Accelerator } from "./qemu-arguments.ts";

export type NodeState = {
  readonly name: string;
  readonly uuid: string;
  readonly sshPort: number;
  readonly agentPort: number;
  /** With a cluster. */
  readonly kubeletPort?: number | undefined;
  /** With a cluster: for the one NodePort that this computer reaches. */
  readonly servicePort?: number | undefined;
};

/** Releases that the lab serves to its nodes. */
export type RepositoryState = {
  readonly directory: string;
  readonly port: number;
  /** A Node.js program with its first arguments; it serves `--repo DIRECTORY` on `--port PORT` of 127.0.0.1. */
  readonly command: readonly string[];
};

/** What a lab remembers about its machines. What runs is asked of the kernel instead: it cannot be out of date. */
export type LabState = {
  readonly schema: "ashlar.lab/v1";
  readonly name: string;
  /** The directory that the image was copied from. */
  readonly image: string;
  readonly accelerator: Accelerator;
  readonly processors: number;
  readonly memoryMiB: number;
  readonly nodes: readonly NodeState[];
  /** Of the lab's name server; it is in the nodes' measured configuration: it never changes. Undefined for older labs. */
  readonly namePort?: number | undefined;
  readonly repository?: RepositoryState | undefined;
  readonly cluster?: ClusterState | undefined;
};

const port: z.ZodType<number> = z.int().min(1).max(65_535);

const nodeState: z.ZodType<NodeState> = z.strictObject({
  name: z.string().regex(/^node-[1-9][0-9]?$/u),
  uuid: z.uuid(),
  sshPort: port,
  agentPort: port,
  kubeletPort: port.optional(),
  servicePort: port.optional(),
});

const labState: z.ZodType<LabState> = z.strictObject({
  schema: z.literal("ashlar.lab/v1"),
  name: z.string(),
  image: z.string(),
  accelerator: z.enum(ACCELERATORS),
  processors: z.int().min(1).max(64),
  memoryMiB: z.int().min(256),
  nodes: z.array(nodeState).max(99),
  namePort: port.optional(),
  repository: z.strictObject({ directory: z.string(), port, command: z.array(z.string()).min(2).max(16) }).optional(),
  cluster: clusterState.optional(),
});

/** @throws AshlarError `not-found` without such a lab, `invalid` when it was made by another version or only half. */
export async function readLabState(paths: LabPaths): Promise<LabState> {
  const hint = `run \`ashlar lab down --name ${paths.name}\` to remove what there is of it`;
  let text: string;
  try {
    text = await readFile(paths.state, "utf8");
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new AshlarError("not-found", `there is no lab named ${paths.name}`, {
      hint: "`ashlar lab list` shows the labs; `ashlar lab up` makes one",
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AshlarError("malformed", `expected JSON in ${paths.state}`, { hint });
  }
  const state = labState.safeParse(value);
  if (!state.success) {
    throw new AshlarError("invalid", `${paths.state}: ${z.prettifyError(state.error)}`, { hint });
  }
  return state.data;
}

export async function writeLabState(paths: LabPaths, state: LabState): Promise<void> {
  await writeFileAtomically(paths.state, `${JSON.stringify(state, null, 2)}\n`);
}

/** The ports that labs have been given, also those of machines that are stopped now. */
export async function portsOfAllLabs(): Promise<Set<number>> {
  const ports = new Set<number>();
  for (const name of await listLabs()) {
    try {
      const state = await readLabState(labPaths(name));
      for (const each of portsOf(state)) ports.add(each);
    } catch (error) {
      // A half-made lab has no ports to respect.
      if (!(error instanceof AshlarError)) throw error;
    }
  }
  return ports;
}

function portsOf({ nodes, namePort, repository, cluster }: LabState): number[] {
  return [
    ...nodes.flatMap(({ sshPort, agentPort, kubeletPort, servicePort }) => [
      sshPort,
      agentPort,
      kubeletPort,
      servicePort,
    ]),
    namePort,
    repository?.port,
    cluster?.apiPort,
    cluster?.imagePort,
  ].filter((each) => each !== undefined);
}
