import type { FleetNode, FleetPolicy } from "./fleet.ts";

/** For tests: one after the other to 1.1.0. */
export const TEST_POLICY: FleetPolicy = {
  target: "1.1.0",
  concurrency: { nodes: 1 },
  waves: [],
  reverse: false,
  exclude: [],
  windows: [],
  approval: "none",
  approvedWaves: [],
  gates: [],
  paused: false,
  tolerate: 0,
  drains: { attempts: 2, retryMs: 600_000 },
  limits: { stagingMs: 3_600_000, beforeRebootMs: 0, drainMs: 900_000, bootMs: 900_000, afterRebootMs: 0 },
  attempt: 1,
};

/** A worker that is proven at 1.0.0. */
export function testFleetNode(name: string, change: Partial<FleetNode> = {}): FleetNode {
  return {
    name,
    labels: {},
    isControlPlane: false,
    isReady: true,
    cordon: "none",
    proof: { kind: "proven", release: "1.0.0" },
    ...change,
  };
}
