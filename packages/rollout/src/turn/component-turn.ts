import { compareVersions } from "@ashlar/formats";
import type {
  ReleaseFailure,
  ComponentFailure,
  ExtensionKind,
  ExtensionsStatus,
  MergedExtension,
} from "@ashlar/protocol";
import { MAX_SILENCE_MS, stop, type Facts, type Step } from "./turn.ts";

/** What is wanted of one node. */
export type ComponentGoal = {
  /** The extension's name and kind. */
  readonly component: string;
  readonly kind: ExtensionKind;
  /** The version that it shall have, and that version's root hash. */
  readonly target: string;
  readonly rootHash: string;
  readonly allowDowngrade: boolean;
  /** Also when the version has failed on this node before. */
  readonly retry: boolean;
  /** How long it may take, from the order until the node has nothing to do any more. */
  readonly timeoutMs: number;
};

/** What has been done and learnt in this turn. */
export type ComponentState = {
  /** The turn goes on with one that was interrupted. */
  readonly resumed: boolean;
  readonly ordered: boolean;
  /** When the target had failed for the last time before it was ordered; undefined when never. */
  readonly failedAt: string | undefined;
  /** Why the order failed, once the node has said so. */
  readonly error: ExtensionsStatus["lastError"];
  readonly proof: ComponentProof | undefined;
};

/** What evidence says about a node with one image of the component. */
export type ComponentProof = {
  /** See {@link situationOf}. */
  readonly situation: string;
  /** Undefined: proven as what the node says. Else what is different. */
  readonly problem: string | undefined;
};

export const NEW_COMPONENT_TURN: ComponentState = {
  resumed: false,
  ordered: false,
  failedAt: undefined,
  error: null,
  proof: undefined,
};

export function mergedOf({ merged }: ExtensionsStatus, component: string): MergedExtension | undefined {
  return merged.find(({ name }) => name === component);
}

/** What a proof is about: the boot, and the image that is merged. */
export function situationOf(status: ExtensionsStatus, component: string): string {
  return `${status.bootId} ${mergedOf(status, component)?.rootHash ?? "nothing"}`;
}

/** Decides what to do next in a node's turn, as `nextStep` does for releases. */
export function nextComponentStep(
  goal: ComponentGoal,
  state: ComponentState,
  { status, silentMs, waitedMs }: Facts<ExtensionsStatus>,
): Step {
  if (status === undefined) {
    if (silentMs <= MAX_SILENCE_MS) return { kind: "wait", what: "answer" };
    return stop("no-answer", "it does not answer");
  }
  if (status.phase !== "idle") return whileBusy(goal, state, status, waitedMs);
  if (state.proof?.situation !== situationOf(status, goal.component)) return { kind: "prove" };
  if (mergedOf(status, goal.component)?.rootHash === goal.rootHash) return onTarget(state);
  return state.ordered ? afterFailure(goal, state, status) : beforeOrder(goal, state, status);
}

function whileBusy(goal: ComponentGoal, state: ComponentState, status: ExtensionsStatus, waitedMs: number): Step {
  const { target, phase } = status;
  const isOurs = state.ordered || state.resumed || (target?.name === goal.component && target.version === goal.target);
  if (!isOurs) {
    const busyWith = [phase, target?.name, target?.version].filter((part) => typeof part === "string").join(" ");
    return stop("busy", `it is ${busyWith}`, { hint: "repeat this when it has finished" });
  }
  if (waitedMs <= goal.timeoutMs) return { kind: "wait", what: "staging" };
  return stop("not-back", `it is still ${phase} after ${Math.round(goal.timeoutMs / 1000)} s`);
}

function onTarget({ proof, ordered, resumed }: ComponentState): Step {
  if (proof?.problem !== undefined) return stop("not-proven", proof.problem);
  return { kind: "done", how: ordered || resumed ? "updated" : "already" };
}

function beforeOrder(goal: ComponentGoal, { proof }: ComponentState, status: ExtensionsStatus): Step {
  const { component, target } = goal;
  if (proof?.problem !== undefined) return stop("not-proven", proof.problem);
  const version = mergedOf(status, component)?.version;
  if (version !== undefined && !goal.allowDowngrade && compareVersions(target, version) < 0) {
    const hint = "use --allow-downgrade if that is intended";
    return stop("downgrade", `${target} is older than ${version}, which it has`, { hint });
  }
  const failure = lastFailure(goal, status);
  if (failure === undefined || goal.retry) return { kind: "order" };
  return stop("failed-before", `${target} was given up on it: ${describeFailure(failure)}`, {
    failure: toReleaseFailure(failure),
    hint: "use --retry to try it again",
  });
}

/** It has nothing to do any more, and has not got the target. */
function afterFailure(goal: ComponentGoal, state: ComponentState, status: ExtensionsStatus): Step {
  const { proof, failedAt } = state;
  const { component, target } = goal;
  const problem = proof?.problem === undefined ? "" : `; and it is not proven: ${proof.problem}`;
  const failure = lastFailure(goal, status);
  if (failure !== undefined && failure.at !== failedAt) {
    const more = { failure: toReleaseFailure(failure) };
    const why = `${describeFailure(failure)}${problem}`;
    // Then it was never merged.
    if (failure.check === "fetch") return stop("staging-failed", `it does not take ${target}: ${why}`, more);
    const version = mergedOf(status, component)?.version ?? `no ${component}`;
    return stop("fell-back", `it rolled back to ${version} on its own: ${why}`, more);
  }
  const lastError = state.error ?? status.lastError;
  if (lastError === null) {
    const aside = status.setAside.find(({ name }) => name === component);
    const why = aside === undefined ? "" : `: it has set ${aside.version ?? "its image"} aside: ${aside.reason}`;
    return stop("staging-failed", `it ended without ${component} ${target}${why}${problem}`);
  }
  const hint = lastError.hint === undefined ? {} : { hint: lastError.hint };
  return stop("staging-failed", `${lastError.message}${problem}`, hint);
}

/** The node's newest record of why it has given the target up. */
export function lastFailure(
  { component, target }: Pick<ComponentGoal, "component" | "target">,
  { failures }: ExtensionsStatus,
): ComponentFailure | undefined {
  return failures.find(({ name, version }) => name === component && version === target);
}

function describeFailure({ check, message }: ComponentFailure): string {
  return message === "" ? check : `${check}: ${message}`;
}

function toReleaseFailure({ version, at, check, message }: ComponentFailure): ReleaseFailure {
  return { version, bootId: null, at, check, message };
}
