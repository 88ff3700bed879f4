import { AshlarError, membersOf } from "@ashlar/base";
import { findKubeconfig } from "./access/find-kubeconfig.ts";
import { readAccess } from "./access/kubeconfig.ts";
import { ApiClient } from "./client/api-client.ts";
import { ClusterMember } from "./cluster-member.ts";
import { readNode, type KubeNode } from "./objects/read-node.ts";

export type ClusterChoice = {
  /** Undefined: what KUBECONFIG names, or the user's. */
  readonly kubeconfig?: string | undefined;
  /** Undefined: the kubeconfig's own choice. */
  readonly context?: string | undefined;
};

const PAGE = "500";
/** What one command can prove or update in a day. */
const MAX_NODES = 10_000;

/** A Kubernetes cluster behind its API server. */
export class Cluster implements Disposable {
  readonly #client: ApiClient;

  private constructor(client: ApiClient) {
    this.#client = client;
  }

  /**
   * Nothing is asked yet.
   *
   * @throws AshlarError `not-found`, `malformed`, `invalid`: see readAccess
   */
  static async open({ kubeconfig, context }: ClusterChoice): Promise<Cluster> {
    return new Cluster(new ApiClient(readAccess(await findKubeconfig(kubeconfig), context)));
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  /** By name. */
  async nodes(signal: AbortSignal): Promise<readonly KubeNode[]> {
    const nodes: KubeNode[] = [];
    const what = "the nodes of the cluster";
    let next = "";
    do {
      const query: Record<string, string> = next === "" ? { limit: PAGE } : { limit: PAGE, continue: next };
      const page = membersOf(await this.#client.json({ method: "GET", path: "/api/v1/nodes", query, what }, signal));
      const { items } = page;
      if (!Array.isArray(items)) throw new AshlarError("malformed", `${what}: expected a list, found something else`);
      if (nodes.length + items.length > MAX_NODES)
        throw new AshlarError("limit", `${what}: found more than ${MAX_NODES}`);
      nodes.push(...items.map((item: unknown) => readNode(item)));
      const token = membersOf(page["metadata"])["continue"];
      next = typeof token === "string" ? token : "";
    } while (next !== "");
    return nodes.toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  }

  member(name: string): ClusterMember {
    return new ClusterMember(this.#client, name);
  }
}
