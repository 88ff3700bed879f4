import assert from "node:assert/strict";
import { test } from "node:test";
import { choosePod } from "./choose-pods.ts";
import type { Pod } from "./member.ts";
import { testPod } from "./test-pod.ts";

const plain = testPod("web-1");
const daemon = { controller: { kind: "DaemonSet", name: "proxy" } };
const careful = { deleteEmptyDirs: false, force: false };

/** As kubectl 1.33's filters decide with --ignore-daemonsets. */
test("each kind of pod", () => {
  const cases: readonly (readonly [string, Partial<Pod>, Partial<typeof careful>, string])[] = [
    ["of a ReplicaSet", {}, {}, "evict"],
    ["of a DaemonSet", daemon, {}, "daemon-set"],
    ["of a DaemonSet, with an emptyDir", { ...daemon, emptyDirs: ["tmp"] }, {}, "daemon-set"],
    ["ended, of a DaemonSet", { ...daemon, hasEnded: true }, {}, "evict"],
    ["of a DaemonSet that is gone", { ...daemon, isOrphan: true }, {}, "daemon-set-gone"],
    ["the same, forced", { ...daemon, isOrphan: true }, { force: true }, "evict"],
    ["of a file of the node", { isMirror: true, controller: { kind: "Node", name: "n" } }, {}, "mirror"],
    [
      "of a file of the node, without owner, with an emptyDir",
      { isMirror: true, controller: undefined, emptyDirs: ["a"] },
      {},
      "mirror",
    ],
    ["with an emptyDir", { emptyDirs: ["tmp"] }, {}, "empty-dir"],
    ["with an emptyDir that may go", { emptyDirs: ["tmp"] }, { deleteEmptyDirs: true }, "evict"],
    ["ended, with an emptyDir", { emptyDirs: ["tmp"], hasEnded: true }, {}, "evict"],
    ["without a controller", { controller: undefined }, {}, "no-controller"],
    ["without a controller, forced", { controller: undefined }, { force: true }, "evict"],
    ["ended, without a controller", { controller: undefined, hasEnded: true }, {}, "evict"],
    ["forced, but its emptyDir may not go", { controller: undefined, emptyDirs: ["a"] }, { force: true }, "empty-dir"],
    ["terminating, without a controller", { controller: undefined, isTerminating: true }, {}, "no-controller"],
  ];
  for (const [what, change, limits, expected] of cases) {
    const choice = choosePod({ ...plain, ...change }, { ...careful, ...limits });
    assert.equal(choice.kind === "evict" ? "evict" : choice.why, expected, what);
  }
});
