import type { RolloutObject, RolloutSpec } from "@ashlar/kube";

/** For tests: as the API server gives one, in the middle of its first wave. */
export function testRollout(change: Partial<RolloutObject> = {}, spec: Partial<RolloutSpec> = {}): RolloutObject {
  const since = "2026-11-30T11:58:00Z";
  return {
    name: "to-1-1-0",
    uid: "u",
    resourceVersion: "7",
    generation: 2,
    createdAt: "2026-11-30T10:00:00Z",
    isDeleting: false,
    finalizers: ["ashlar.dev/rollout"],
    fault: undefined,
    spec: {
      class: "worker",
      release: "1.1.0",
      allowDowngrade: false,
      concurrency: { nodes: 1 },
      waves: [{ name: "zone-a", selector: { zone: "a" } }],
      reverse: false,
      exclude: [],
      windows: [],
      approval: "each-wave",
      approvedWaves: ["zone-a"],
      gates: [],
      paused: false,
      aborted: false,
      tolerate: 0,
      drain: {
        attempts: 3,
        retrySeconds: 600,
        timeoutSeconds: 900,
        deleteEmptyDirs: false,
        force: false,
        blockedBy: [],
      },
      limits: { stagingSeconds: 3600, bootSeconds: 900 },
      attempt: 1,
      ...spec,
    },
    status: {
      observedGeneration: 2,
      phase: "Rolling",
      wave: "zone-a",
      attempt: 1,
      total: 3,
      done: 1,
      nodes: [
        { name: "worker-3", wave: "rest", state: "Waiting", since, message: "its wave, rest, has not begun" },
        { name: "worker-1", wave: "zone-a", state: "Done", since, from: "1.0.0" },
        {
          name: "worker-2",
          wave: "zone-a",
          state: "Draining",
          since,
          from: "1.0.0",
          drains: 1,
          message: "shop/web-2: PodDisruptionBudget web: \u001b[2Jno",
        },
        { name: "worker-9", wave: "zone-a", state: "Skipped", since, message: "the rollout leaves it out" },
      ],
    },
    ...change,
  };
}
