import { nameOfPod, type Pod } from "./member.ts";

/** What may be lost when a node is drained, as with `kubectl drain`. */
export type DrainLimits = {
  /** `--delete-emptydir-data` */
  readonly deleteEmptyDirs: boolean;
  /** `--force-drain`, which kubectl calls `--force`: also pods that nobody makes anew. */
  readonly force: boolean;
};

export type Choice =
  | { readonly kind: "evict" }
  | { readonly kind: "leave"; readonly why: "daemon-set" | "mirror" }
  | {
      readonly kind: "refuse";
      readonly why: "daemon-set-gone" | "empty-dir" | "no-controller";
      readonly message: string;
    };

/**
 * What a drain does with a pod. The rules and their order are those of `kubectl drain --ignore-daemonsets` (kubectl's
 * `drain/filters.go`): the first that does not let the pod go decides.
 */
export function choosePod(pod: Pod, limits: DrainLimits): Choice {
  const { hasEnded, controller } = pod;
  if (controller?.kind === "DaemonSet" && !hasEnded) {
    if (!pod.isOrphan) return { kind: "leave", why: "daemon-set" };
    if (!limits.force) {
      const message = `its DaemonSet ${controller.name} is gone, so nobody makes it anew: --force-drain evicts it`;
      return { kind: "refuse", why: "daemon-set-gone", message };
    }
  }
  if (pod.isMirror) return { kind: "leave", why: "mirror" };
  if (pod.emptyDirs.length > 0 && !hasEnded && !limits.deleteEmptyDirs) {
    const message = `its emptyDir ${pod.emptyDirs.join(", ")} would be lost: --delete-emptydir-data allows that`;
    return { kind: "refuse", why: "empty-dir", message };
  }
  if (controller === undefined && !hasEnded && !limits.force) {
    const message = "nobody makes it anew, since it has no controller: --force-drain evicts it";
    return { kind: "refuse", why: "no-controller", message };
  }
  return { kind: "evict" };
}

export type Chosen = {
  readonly leaving: readonly Pod[];
  readonly refused: readonly { readonly pod: Pod; readonly message: string }[];
};

export function choosePods(pods: readonly Pod[], limits: DrainLimits): Chosen {
  const leaving: Pod[] = [];
  const refused: { pod: Pod; message: string }[] = [];
  const inOrder = pods.toSorted((a, b) => (nameOfPod(a) < nameOfPod(b) ? -1 : 1));
  for (const pod of inOrder) {
    const choice = choosePod(pod, limits);
    if (choice.kind === "evict") leaving.push(pod);
    if (choice.kind === "refuse") refused.push({ pod, message: choice.message });
  }
  return { leaving, refused };
}
