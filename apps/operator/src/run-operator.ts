import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { OperatedCluster, podNamespace, type ClusterChoice } from "@ashlar/kube";
import { Operator } from "./operator.ts";

export type RunOptions = ClusterChoice & {
  /** Where the Lease is, and the Secrets and ConfigMaps that classes refer to. Undefined: the pod's own. */
  readonly namespace?: string | undefined;
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
  while (!signal.aborted) await leadOnce(cluster, holder, options);
}

/** Waits, leads, and ends when it no longer does. An API server that is away is waited for. */
async function leadOnce(cluster: OperatedCluster, holder: string, { signal, onLine }: RunOptions): Promise<void> {
  try {
    const isKept = await cluster.whileLeading(
      async (held) => {
        onLine(`leads, as ${holder}`);
        await lead(cluster, held, onLine);
      },
      { signal, onWait: (other) => onLine(`waits: ${other} leads`) },
    );
    if (!isKept) onLine("no longer leads: the Lease could not be renewed");
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof AshlarError && error.code === "unavailable")) throw error;
    onLine(`waits: ${error.message}`);
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function lead(cluster: OperatedCluster, signal: AbortSignal, onLine: (line: string) => void): Promise<void> {
  const watched = await cluster.watch(signal);
  try {
    await withTemporaryDirectory(async (directory) => {
      await new Operator(watched, { cluster, directory, signal, onLine }).run();
    });
  } finally {
    await Promise.all(Object.values(watched).map(async (list) => await list[Symbol.asyncDispose]()));
  }
}
