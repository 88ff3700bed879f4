import { AshlarError } from "@ashlar/base";
import type { ApiClient } from "./api-client.ts";

/** A kubelet writes its Node every few minutes, and so do controllers. */
const MAX_CONFLICTS = 10;

/** A merge patch. Lists in it are whole: taints have no other kind of patch that would keep others' (core/v1). */
export type NodeChange = {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string | null>>;
    readonly annotations: Readonly<Record<string, string | null>>;
  };
  readonly spec?: { readonly unschedulable: true | null } | { readonly taints: readonly unknown[] };
};

export type NodeChanging<Found> = {
  readonly name: string;
  /** Of it, for errors: "the cordon". */
  readonly what: string;
  readonly fieldManager: string;
  readonly read: (object: unknown) => Found;
  /** Undefined: it is as it should be. */
  readonly decide: (found: Found) => NodeChange | undefined;
};

export function nodePath(name: string): string {
  return `/api/v1/nodes/${encodeURIComponent(name)}`;
}

/** Changes a Node as it was seen, or sees it again when somebody else was faster: nobody's change is undone. */
export async function changeNode<Found extends { readonly resourceVersion: string }>(
  client: ApiClient,
  { name, what, fieldManager, read, decide }: NodeChanging<Found>,
  signal: AbortSignal,
): Promise<void> {
  const path = nodePath(name);
  for (let conflicts = 0; ; conflicts += 1) {
    const found = read(await client.json({ method: "GET", path, what: `the Node ${name}` }, signal));
    const change = decide(found);
    if (change === undefined) return;
    const body = { ...change, metadata: { ...change.metadata, resourceVersion: found.resourceVersion } };
    const contentType = "application/merge-patch+json";
    try {
      const query = { fieldManager };
      await client.json({ method: "PATCH", path, query, body, contentType, what: `${what} of ${name}` }, signal);
      return;
    } catch (error) {
      const isConflict = error instanceof AshlarError && error.code === "conflict";
      if (!isConflict || conflicts === MAX_CONFLICTS) throw error;
    }
  }
}
