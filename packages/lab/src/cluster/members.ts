import { run } from "@ashlar/host";
import { z } from "zod";
import { kubectlEnvironment, type ClusterPaths } from "./cluster-paths.ts";
import type { ClusterState } from "./cluster-state.ts";

export type Member = { readonly name: string; readonly ready: boolean };

const answer = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).optional() })
        .optional(),
    }),
  ),
});

/** The Nodes that the API server knows. Undefined when it does not answer. */
export async function membersOf(
  paths: ClusterPaths,
  { programs }: ClusterState,
  signal?: AbortSignal,
): Promise<readonly Member[] | undefined> {
  const { status, stdout } = await run(programs.kubectl, ["--request-timeout=30s", "get", "nodes", "-o", "json"], {
    acceptStatus: [0, 1],
    signal,
    env: kubectlEnvironment(paths),
  });
  return status === 0 ? parseMembers(stdout.toString("utf8")) : undefined;
}

export function parseMembers(text: string): readonly Member[] {
  return answer.parse(JSON.parse(text)).items.map(({ metadata, status }) => ({
    name: metadata.name,
    ready: status?.conditions?.some((each) => each.type === "Ready" && each.status === "True") ?? false,
  }));
}
