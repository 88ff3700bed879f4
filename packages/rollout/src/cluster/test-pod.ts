import type { Pod } from "./member.ts";

/** For tests: a pod of a ReplicaSet, which a drain evicts. Its UID is `uid-NAME`. */
export function testPod(name: string, change: Partial<Pod> = {}): Pod {
  return {
    namespace: "shop",
    name,
    uid: `uid-${name}`,
    labels: {},
    hasEnded: false,
    isTerminating: false,
    isMirror: false,
    controller: { kind: "ReplicaSet", name: "web" },
    isOrphan: false,
    emptyDirs: [],
    ...change,
  };
}
