/** A node's turn in its cluster: the API server is real, the node is only said to be there. */
import { Cluster } from "@ashlar/kube";
import { testUpdateStatus } from "@ashlar/protocol/test-fixtures";
import { updateFleet, type BlockedPod, type DrainPolicy, type NodeAccess, type NodeResult } from "@ashlar/rollout";
import { TEST_GOAL } from "@ashlar/rollout/test-fixtures";

export type TurnOptions = {
  readonly kubeconfig: string;
  /** Says whose turn has not ended, for the next command. */
  readonly recordPath: string;
  readonly policy?: Partial<DrainPolicy>;
  /** How long the node, and its Node, may take to come back. */
  readonly bootTimeoutMs?: number;
  readonly onBlocked?: (blocked: readonly BlockedPod[]) => void;
  /** Called when the node is told to restart; the boot is what its kubelet reports later. */
  readonly onReboot?: (bootId: string) => Promise<void>;
  readonly signal?: AbortSignal;
};

const POLICY: DrainPolicy = { timeoutMs: 10_000, graceSeconds: undefined, deleteEmptyDirs: false, force: false };
export const FIRST_BOOT = "first-boot";
const SECOND_BOOT = "second-boot";

/** Takes a node from 1.0.0 to 1.1.0, as `ashlar update --kubernetes` does. */
export async function takeTurn(name: string, options: TurnOptions): Promise<NodeResult> {
  const { kubeconfig, recordPath, policy, bootTimeoutMs = 600_000, onBlocked, signal } = options;
  using cluster = await Cluster.open({ kubeconfig });
  const { nodes } = await updateFleet(
    [saidNode(name, options)],
    { ...TEST_GOAL, bootTimeoutMs },
    {
      recordPath,
      onEvent: ({ blocked }) => blocked !== undefined && onBlocked?.(blocked),
      pollMs: 100,
      signal: signal ?? new AbortController().signal,
      cluster: { member: (member) => cluster.member(member), policy: { ...POLICY, ...policy } },
    },
  );
  const [result] = nodes;
  if (result === undefined) throw new Error(`${name} got no turn`);
  return result;
}

function saidNode(name: string, { onReboot }: TurnOptions): NodeAccess {
  let status = testUpdateStatus({ version: "1.0.0", bootId: FIRST_BOOT });
  return {
    name,
    status: async () => status,
    prove: async () => undefined,
    proveNextBoot: async () => undefined,
    order: async ({ target }) => (status = { ...status, staged: target }),
    reboot: async () => {
      status = { ...status, version: TEST_GOAL.target, staged: null, bootId: SECOND_BOOT };
      await onReboot?.(SECOND_BOOT);
    },
  };
}
