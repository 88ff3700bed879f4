/** What the API server says about a Node and about what runs there. Nothing here is proof: it decides when, not whether. */

export type Member = {
  readonly name: string;
  readonly isReady: boolean;
  /** Of the condition Ready, in a few words. */
  readonly readiness: string;
  /** Whom it does not take new pods for: `ours` when the note of {@link CORDON_NOTE} is there. */
  readonly cordon: "none" | "ours" | "foreign";
  /** The boot that its kubelet has reported. A Node stays Ready for a while when its machine restarts. */
  readonly bootId: string;
};

/** An annotation of Nodes: Ashlar has cordoned it, for the release that is its value, so Ashlar uncordons it. */
export const CORDON_NOTE = "ashlar.dev/cordoned-for";

export type Pod = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly hasEnded: boolean;
  /** It was told to end, and takes its time. */
  readonly isTerminating: boolean;
  /** It is a file of the node's, which the kubelet only shows. */
  readonly isMirror: boolean;
  /** Who makes it anew. */
  readonly controller: { readonly kind: string; readonly name: string } | undefined;
  /** The DaemonSet that it belongs to is gone. */
  readonly isOrphan: boolean;
  /** Names of volumes that are lost with it. */
  readonly emptyDirs: readonly string[];
};

export function nameOfPod({ namespace, name }: Pick<Pod, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

/** What an eviction is answered with; see "API-initiated Eviction" and `pkg/registry/core/pod/storage/eviction.go`. */
export type EvictionAnswer =
  | { readonly kind: "accepted" | "gone" }
  /** A PodDisruptionBudget does not allow it now. `retryAfterMs`: its state is not known yet. */
  | { readonly kind: "budget"; readonly message: string; readonly retryAfterMs: number | undefined }
  /** The server cannot answer now. */
  | { readonly kind: "busy"; readonly message: string; readonly retryAfterMs: number | undefined }
  /** No retry helps: more than one budget matches, or whoever asks may not evict. */
  | { readonly kind: "refused"; readonly message: string };
