import { readFile, rename } from "node:fs/promises";
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
  /** The directory that the image was copied from. None when the lab has no nodes. */
  readonly image?: string | undefined;
  readonly accelerator: Accelerator;
  readonly processors: number;
  readonly memoryMiB: number;
  /** Their firmware has Secure Boot. */
  readonly secureBoot?: boolean | undefined;
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
  image: z.string().optional(),
  accelerator: z.enum(ACCELERATORS),
  processors: z.int().min(1).max(64),
  memoryMiB: z.int().min(256),
  secureBoot: z.boolean().optional(),
  nodes: z.array(nodeState).max(99),
  namePort: port.optional(),
  repository: z.strictObject({ directory: z.string(), port, command: z.array(z.string()).min(2).max(16) }).optional(),
  cluster: clusterState.optional(),
});

/** @throws AshlarError `not-found` without such a lab, `invalid` when it was made by another version or only half. */
export async function readLabState(paths: LabPaths): Promise<LabState> {
  return await readStateIn(paths.state, paths);
}

async function readStateIn(path: string, paths: LabPaths): Promise<LabState> {
  const hint = `run \`ashlar lab down --name ${paths.name}\` to remove what there is of it`;
  let text: string;
  try {
    text = await readFile(path, "utf8");
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
    throw new AshlarError("malformed", `expected JSON in ${path}`, { hint });
  }
  const state = labState.safeParse(value);
  if (!state.success) {
    throw new AshlarError("invalid", `${path}: ${z.prettifyError(state.error)}`, { hint });
  }
  return state.data;
}

export async function writeLabState(paths: LabPaths, state: LabState): Promise<void> {
  await writeState(paths.state, state);
}

/** Until the lab is made nothing but its ports counts: no other lab is given them. */
export async function writeLabPlan(paths: LabPaths, state: LabState): Promise<void> {
  await writeState(paths.plan, state);
}

/** The lab is made as planned. */
export async function adoptLabPlan(paths: LabPaths): Promise<void> {
  await rename(paths.plan, paths.state);
}

async function writeState(path: string, state: LabState): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify(state, null, 2)}\n`);
}

/** The ports that labs have been given, also those of machines that are stopped now, or are not made yet. */
export async function portsOfAllLabs(): Promise<Set<number>> {
  const ports = new Set<number>();
  for (const name of listLabs()) {
    try {
      const state = await readPlanOrState(labPaths(name));
      for (const each of portsOf(state)) ports.add(each);
    } catch (error) {
      // What is left of a lab has no ports to respect.
      if (!(error instanceof AshlarError)) throw error;
    }
  }
  return ports;
}

/** In this order, since one becomes the other. */
async function readPlanOrState(paths: LabPaths): Promise<LabState> {
  try {
    return await readStateIn(paths.plan, paths);
  } catch (error) {
    if (error instanceof AshlarError && error.code === "not-found") return await readLabState(paths);
    throw error;
  }
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
