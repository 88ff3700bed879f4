import { randomBytes } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import { run } from "@ashlar/host";
import { collect, type CollectOptions, type Received } from "./collect.ts";
import { lastLine } from "./last-line.ts";

/** How kubectl, with the user's own configuration, reaches a cluster, and what is started there. */
export type ClusterOptions = {
  readonly context?: string | undefined;
  readonly namespace: string;
  /** An image with sh(1), chroot(1) and sleep(1): everything else is the node's own. */
  readonly image: string;
};

export type ClusterNode = { readonly name: string; readonly isReady: boolean };

/** A pod that nobody deletes, since the connection was lost or we were killed, ends by itself. */
const MAX_SECONDS = 3600;
const ROOT = "/host";
/** By its path: busybox would take the name for itself, and search the node's files with its own find. */
const ENTER = `chroot ${ROOT} /bin/sh -s`;
const LABEL = "ashlar-audit";
const LIST = `jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}`;
const WHY = `jsonpath={range .status.containerStatuses[*]}{.state.waiting.reason}: {.state.waiting.message}{end}{.status.message}`;

/** The nodes of a cluster that a label selector chooses. @throws AshlarError `unavailable`, `missing-tool`, `interrupted` */
export async function clusterNodes(
  { context, selector }: Pick<ClusterOptions, "context"> & { readonly selector?: string | undefined },
  signal: AbortSignal,
): Promise<ClusterNode[]> {
  const chosen = selector === undefined ? [] : ["--selector", selector];
  const { stdout } = await kubectl(["get", "nodes", ...chosen, "-o", LIST], { context, signal });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [name = "", ready] = line.split("\t");
      return { name, isReady: ready === "True" };
    });
}

/**
 * Runs the collector in a pod on one node, over the node's own files with the node's own programs. The pod may read and nothing else,
 * and is deleted at the end, whatever that is.
 *
 * @throws AshlarError `unavailable` when it does not start, or nothing comes any more, `failed` when the collector cannot run there,
 *   `limit`, `interrupted`, `missing-tool`
 */
export async function collectKubernetes(node: string, options: CollectOptions & ClusterOptions): Promise<Received> {
  const { context, namespace, patienceMs, signal } = options;
  const name = `${LABEL}-${randomBytes(5).toString("hex")}`;
  const place = ["--namespace", namespace];
  try {
    await kubectl(["create", ...place, "-f", "-"], { context, signal, input: podManifest(name, node, options.image) });
    await waitUntilReady([...place, `pod/${name}`], { context, signal }, patienceMs);
    const args = [...place, "-i", name, "--", "sh", "-c", ENTER];
    return await collect("kubectl", [...contextWords(context), "exec", ...args], options, (_, stderr) =>
      /^(?:error: |Error from server)/mu.test(stderr)
        ? new AshlarError("unavailable", lastLine(stderr) ?? "")
        : undefined,
    );
  } finally {
    // Also when we are told to end: so without the signal. Without an API server the pod ends by its own limit.
    const words = ["delete", ...place, "pod", name, "--ignore-not-found", "--wait=false", "--grace-period=1"];
    await kubectl(words, { context, signal: undefined }).catch(() => undefined);
  }
}

async function waitUntilReady(pod: readonly string[], access: Access, patienceMs: number): Promise<void> {
  const limit = `--timeout=${Math.ceil(patienceMs / 1000)}s`;
  try {
    await kubectl(["wait", "--for=condition=Ready", limit, ...pod], access);
  } catch (error) {
    if (!(error instanceof AshlarError) || error.code !== "unavailable") throw error;
    const { stdout: why } = await kubectl(["get", ...pod, "-o", WHY], access);
    const reason = why.replace(/^: $/u, "").trim() || error.message;
    throw new AshlarError("unavailable", `its pod did not start: ${reason}`, { cause: error });
  }
}

type Access = Pick<ClusterOptions, "context"> & { readonly signal: AbortSignal | undefined };

/** What kubectl prints. */
async function kubectl(
  args: readonly string[],
  { context, signal, input = "" }: Access & { readonly input?: string },
): Promise<{ readonly stdout: string }> {
  const words = [...contextWords(context), ...args];
  const { status, stdout, stderr } = await run("kubectl", words, { input, signal, acceptStatus: [0, 1] });
  if (status === 0) return { stdout: stdout.toString("utf8") };
  throw new AshlarError("unavailable", `kubectl: ${lastLine(stderr) ?? ""}`);
}

function contextWords(context: string | undefined): string[] {
  return context === undefined ? [] : ["--context", context];
}

/**
 * It sees the node's files read-only, and its network's settings. On whatever node, drained and tainted ones too: it goes there
 * past the scheduler.
 */
function podManifest(name: string, node: string, image: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { "app.kubernetes.io/name": LABEL } },
    spec: {
      nodeName: node,
      tolerations: [{ operator: "Exists" }],
      hostNetwork: true,
      restartPolicy: "Never",
      activeDeadlineSeconds: MAX_SECONDS,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containers: [
        {
          name: "collector",
          image,
          command: ["sh", "-c", `sleep ${MAX_SECONDS}`],
          resources: { requests: { cpu: "0", memory: "0" }, limits: { memory: "256Mi" } },
          securityContext: {
            runAsUser: 0,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"], add: ["SYS_CHROOT", "DAC_READ_SEARCH"] },
            seccompProfile: { type: "RuntimeDefault" },
          },
          volumeMounts: [{ name: "host", mountPath: ROOT, readOnly: true }],
        },
      ],
      volumes: [{ name: "host", hostPath: { path: "/", type: "Directory" } }],
    },
  });
}
