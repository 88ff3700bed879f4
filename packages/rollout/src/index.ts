/** Takes nodes from one release or extension to the next. `turn` and `fleet` decide, from facts alone; `drive` asks, orders and waits. */
export type { TurnEvent } from "./drive/follow-turn.ts";
export { openSession } from "./drive/session.ts";
export type { Session } from "./drive/session.ts";
export { mergedOf } from "./turn/component-turn.ts";
export type { ComponentGoal } from "./turn/component-turn.ts";
export { debugResultJsonSchema } from "./turn/debug-result.ts";
export type { DebugResult } from "./turn/debug-result.ts";
export type { Goal, Step } from "./turn/turn.ts";
export { updateResultJsonSchema } from "./turn/update-result.ts";
export type { NodeResult, UpdateResult } from "./turn/update-result.ts";
export { beginDebugSession, endDebugSession } from "./drive/debug-session.ts";
export { findPreviousRelease } from "./drive/previous-release.ts";
export { updateComponents } from "./drive/update-components.ts";
export { updateFleet } from "./drive/update-fleet.ts";
export { AgentNode } from "./drive/node-access.ts";
export type { Challenge } from "./drive/node-access.ts";
export { requireEvidence } from "./drive/challenge-node.ts";
export { rollNode } from "./drive/roll-node.ts";
export type { NodeAccess } from "./drive/run-turn.ts";
export type { ComponentAccess } from "./drive/component-access.ts";
export { chooseComponent } from "./turn/choose-component.ts";
export { chooseTarget, requireMinimum } from "./turn/choose-target.ts";
export { NEW_FLEET, RETURNS } from "./fleet/fleet.ts";
export type {
  Fleet,
  FleetGate,
  FleetNode,
  FleetPolicy,
  FleetProof,
  GateReading,
  GateReadings,
  Halt,
  NodeRecord,
  ReturnsTo,
} from "./fleet/fleet.ts";
export type { GateQuestion } from "./fleet/gates.ts";
export { lookAtFleet, PHASES } from "./fleet/look-at-fleet.ts";
export type { FleetLook, Job, Phase } from "./fleet/look-at-fleet.ts";
export { waveNames } from "./fleet/plan-waves.ts";
export { previewFleet } from "./fleet/preview.ts";
export type { Preview, PreviewedWave } from "./fleet/preview.ts";
export { hasLeft, NODE_STATES, STATES } from "./fleet/node-state.ts";
export type { NodeState } from "./fleet/node-state.ts";
export { afterEvent } from "./fleet/transition.ts";
export type { NodeEvent } from "./fleet/transition.ts";
export { CORDON_NOTE } from "./cluster/member.ts";
export type { EvictionAnswer, Member, Pod } from "./cluster/member.ts";
export { beginHook, endHook, missingOf, NO_LABELS } from "./cluster/hooks.ts";
export type { Hook, HookChange, HookMarks, Hooks, RebootLabels } from "./cluster/hooks.ts";
export { declaredKubelet } from "./cluster/declared-kubelet.ts";
export { holdsKubelet, kubeletOfRelease, versionSkew } from "./cluster/version-skew.ts";
export type { Kubelet } from "./cluster/version-skew.ts";
export { describeBlocked } from "./cluster/drain.ts";
export type { BlockedPod, DrainPolicy } from "./cluster/drain.ts";

export type { MemberAccess, PodList } from "./drive/drain-member.ts";
