/**
 * How far a node is in a rollout. The names are those that stand in a Rollout's status.
 *
 * - `Waiting`: its turn has not come. Nothing has been changed.
 * - `Staging`, `Staged`: it fetches the release while it works; the release is its proven next boot.
 * - `BeforeReboot`: programs of others that have to agree first are waited for. Nothing was taken yet.
 * - `Draining`: it is cordoned, and its pods leave.
 * - `Rebooting`: it was drained and told to restart. Nobody is told so from any other state.
 * - `Proving`: it answers in another boot, and has to prove the release there.
 * - `Rejoining`: that is proven; its kubelet has to be Ready in the boot that was proven.
 * - `AfterReboot`: programs of others that have to agree before it takes pods again are waited for.
 * - `Uncordoning`: it takes pods again.
 * - `Returning`: it was not restarted, and gets back what was taken from it.
 * - `Blocked`: it could not be drained; it is as it was, and gives way until it is tried again.
 * - `Held`: it was told to restart, and is not proven or not Ready since. It stays cordoned until it is.
 * - `Done`: it runs the release, proven and Ready.
 * - `FellBack`: it rolled back on its own; it is proven and Ready as what it was.
 * - `Failed`: it was not restarted, and will not be in this attempt.
 * - `Skipped`: the rollout was told to leave it out.
 * - `Gone`: there is no Node of this name any more.
 */
export const NODE_STATES = [
  "Waiting",
  "Staging",
  "Staged",
  "BeforeReboot",
  "Draining",
  "Rebooting",
  "Proving",
  "Rejoining",
  "AfterReboot",
  "Uncordoning",
  "Returning",
  "Blocked",
  "Held",
  "Done",
  "FellBack",
  "Failed",
  "Skipped",
  "Gone",
] as const;

export type NodeState = (typeof NODE_STATES)[number];

/** Which of a policy's limits ends a state; undefined where only facts do. */
export type LimitName = "stagingMs" | "beforeRebootMs" | "drainMs" | "bootMs" | "afterRebootMs";

type StateRules = {
  /** The states that may follow. */
  readonly next: readonly NodeState[];
  /** It does not take pods, because of this rollout. */
  readonly isOut: boolean;
  /** Nothing more is done with it in this attempt. */
  readonly isEnd: boolean;
  readonly limit: LimitName | undefined;
};

const idle = { isOut: false, isEnd: false, limit: undefined } as const;
const out = { isOut: true, isEnd: false } as const;
const end = { isOut: false, isEnd: true, limit: undefined } as const;

export const STATES: Readonly<Record<NodeState, StateRules>> = {
  Waiting: { ...idle, next: ["Staging", "Done", "Skipped", "Gone"] },
  Staging: { ...idle, limit: "stagingMs", next: ["Staged", "Waiting", "Failed", "Done", "Skipped", "Gone"] },
  Staged: { ...idle, next: ["BeforeReboot", "Draining", "Waiting", "Done", "Skipped", "Gone"] },
  BeforeReboot: { ...out, limit: "beforeRebootMs", next: ["Draining", "Returning", "Done", "Gone"] },
  Draining: { ...out, limit: "drainMs", next: ["Rebooting", "Returning", "Done", "Gone"] },
  Rebooting: { ...out, limit: "bootMs", next: ["Proving", "Returning", "Held", "Gone"] },
  Proving: {
    ...out,
    limit: "bootMs",
    next: ["Rejoining", "AfterReboot", "Uncordoning", "Done", "FellBack", "Held", "Gone"],
  },
  Rejoining: { ...out, limit: "bootMs", next: ["AfterReboot", "Uncordoning", "Done", "FellBack", "Held", "Gone"] },
  AfterReboot: { ...out, limit: "afterRebootMs", next: ["Uncordoning", "Done", "FellBack", "Held", "Gone"] },
  Uncordoning: { ...out, limit: "bootMs", next: ["Done", "FellBack", "Held", "Gone"] },
  Returning: { ...out, limit: undefined, next: ["Waiting", "Blocked", "Failed", "Gone"] },
  Blocked: { ...idle, next: ["Waiting", "Failed", "Done", "Skipped", "Gone"] },
  Held: { ...out, limit: undefined, next: ["Returning", "Done", "FellBack", "Gone"] },
  Done: { ...end, next: ["Waiting", "Gone"] },
  FellBack: { ...end, next: ["Waiting", "Done", "Gone"] },
  Failed: { ...end, next: ["Waiting", "Done", "Gone"] },
  Skipped: { ...end, next: ["Waiting", "Gone"] },
  Gone: { ...end, next: ["Waiting", "Held"] },
};

/** Its turn goes on, and it was not told to restart: nothing is lost when that is taken back. */
export function isBegun(state: NodeState): boolean {
  return state === "BeforeReboot" || state === "Draining";
}

/** It has been told to restart, and has not come to an end since. */
export function hasLeft(state: NodeState): boolean {
  return STATES[state].isOut && !isBegun(state) && state !== "Returning";
}
