import type { RolloutSpec } from "@ashlar/kube";

/** For tests: as the API server gives it when nothing but class and release is said. */
export const TEST_SPEC: RolloutSpec = {
  class: "worker",
  release: "1.1.0",
  allowDowngrade: false,
  concurrency: { nodes: 1 },
  waves: [],
  reverse: false,
  exclude: [],
  windows: [],
  approval: "none",
  approvedWaves: [],
  gates: [],
  paused: false,
  aborted: false,
  tolerate: 0,
  drain: { attempts: 3, retrySeconds: 600, timeoutSeconds: 900, deleteEmptyDirs: false, force: false, blockedBy: [] },
  limits: { stagingSeconds: 3600, bootSeconds: 900 },
  attempt: 1,
};
