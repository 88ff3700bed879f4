import { AshlarError } from "@ashlar/base";
import { readOptional } from "@ashlar/host";
import { findKubeconfig } from "./find-kubeconfig.ts";
import { readAccess, type ClusterAccess } from "./kubeconfig.ts";

export type ClusterChoice = {
  /** Undefined: what KUBECONFIG names, or the user's. */
  readonly kubeconfig?: string | undefined;
  /** Undefined: the kubeconfig's own choice. */
  readonly context?: string | undefined;
};

/** Where each pod finds who it is ("Accessing the Kubernetes API from a Pod"). */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const MAX_NAMESPACE_BYTES = 1000;

export type PodEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * A pod's service account where there is one and no kubeconfig is named; else a kubeconfig.
 *
 * @throws AshlarError what {@link readAccess} and {@link findKubeconfig} throw
 */
export async function findAccess(
  { kubeconfig, context }: ClusterChoice,
  environment: PodEnvironment = process.env,
  directory: string = SERVICE_ACCOUNT,
): Promise<ClusterAccess> {
  const own = kubeconfig === undefined ? podAccess(environment, directory) : undefined;
  return own ?? readAccess(await findKubeconfig(kubeconfig, environment), context);
}

/** The namespace that a pod runs in; undefined outside of one. */
export async function podNamespace(directory: string = SERVICE_ACCOUNT): Promise<string | undefined> {
  const bytes = await readOptional(`${directory}/namespace`, MAX_NAMESPACE_BYTES, { links: "follow" });
  return bytes?.toString("utf8").trim();
}

function podAccess(environment: PodEnvironment, directory: string): ClusterAccess | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (host === undefined || port === undefined) return undefined;
  const text = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(text)) {
    throw new AshlarError("invalid", `expected an address in KUBERNETES_SERVICE_HOST and _PORT, found ${text}`);
  }
  return {
    context: "the pod's service account",
    server: new URL(text),
    tlsServerName: undefined,
    authority: { path: `${directory}/ca.crt` },
    login: { kind: "token-file", path: `${directory}/token` },
  };
}
