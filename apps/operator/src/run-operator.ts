import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError, messageOf } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { OperatedCluster, podNamespace, type ClusterChoice } from "@ashlar/kube";
import { Operator } from "./operator.ts";
import { serveOperator, type ServeOperatorOptions } from "./serve-operator.ts";
import { Standing } from "./standing.ts";

export type RunOptions = ClusterChoice & {
  /** Where the Lease is, and the Secrets and ConfigMaps that classes refer to. Undefined: the pod's own. */
  readonly namespace?: string | undefined;
  /** Where to answer for metrics and health; undefined: nowhere. */
  readonly listen?: Pick<ServeOperatorOptions, "host" | "port" | "token"> | undefined;
  readonly signal: AbortSignal;
  /** Told what happens. */
  readonly onLine: (line: string) => void;
};

const AGAIN_MS = 5000;
const DEFAULT_NAMESPACE = "ashlar-system";

/**
 * Leads whenever nobody else does, until it is interrupted. Nothing is kept but in the API server.
 *
 * @throws AshlarError when the cluster cannot be read: not found, not trusted, not allowed
 */
export async function runOperator(options: RunOptions): Promise<void> {
  const { signal } = options;
  const namespace = options.namespace ?? (await podNamespace()) ?? DEFAULT_NAMESPACE;
  const holder = `${hostname()}_${randomUUID()}`;
  using cluster = await OperatedCluster.open(options, namespace, holder);
  const standing = new Standing();
  const server = options.listen && (await serveOperator({ ...options.listen, ...standing.answers }));
  try {
    if (server !== undefined) options.onLine(`answers at ${server.url}/metrics`);
    while (!signal.aborted) await leadOnce(cluster, holder, standing, options);
  } finally {
    await server?.close();
  }
}

/** Waits, leads, and ends when it no longer does. An API server that is away is waited for. */
async function leadOnce(
  cluster: OperatedCluster,
  holder: string,
  standing: Standing,
  { signal, onLine }: RunOptions,
): Promise<void> {
  const wait = (other: string): void => {
    standing.waits();
    onLine(`waits: ${other} leads`);
  };
  try {
    const isKept = await cluster.whileLeading(
      async (held) => {
        onLine(`leads, as ${holder}`);
        await lead(cluster, standing, held, onLine);
      },
      { signal, onWait: wait },
    );
    if (!isKept) onLine("no longer leads: the Lease could not be renewed");
  } catch (error) {
    if (signal.aborted) return;
    standing.isAway(messageOf(error));
    if (!(error instanceof AshlarError && error.code === "unavailable")) throw error;
    onLine(`waits: ${error.message}`);
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function lead(
  cluster: OperatedCluster,
  standing: Standing,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  const watched = await cluster.watch(signal);
  try {
    await withTemporaryDirectory(async (directory) => {
      const operator = new Operator(watched, { cluster, directory, signal, onLine });
      standing.leads(operator);
      await operator.run();
    });
  } finally {
    standing.ends();
    await Promise.all(Object.values(watched).map(async (list) => await list[Symbol.asyncDispose]()));
  }
}
