import { stop, type Step } from "../turn/turn.ts";

/** How a drain has ended, and in which boot. */
export type Drained = {
  readonly bootId: string;
  /** Undefined: nothing is left that has to go. Else what is, and why. */
  readonly problem: string | undefined;
};

/** What was found out about a drain before it is due. */
export type Foreseen = {
  /** Undefined: nothing speaks against it. */
  readonly problem: string | undefined;
};

/** Fetching takes minutes: a member whose pods must not go as it was asked for is not told to begin. */
export function beforeOrder(step: Step, foreseen: Foreseen | undefined): Step {
  if (step.kind !== "order") return step;
  if (foreseen === undefined) return { kind: "foresee-drain" };
  return foreseen.problem === undefined ? step : stop("not-drained", foreseen.problem);
}

/** A member of a cluster restarts only after a drain that has ended well, in the boot that it is in. */
export function beforeReboot(step: Step, drained: Drained | undefined, bootId: string | undefined): Step {
  if (step.kind !== "reboot") return step;
  if (drained === undefined || drained.bootId !== bootId) return { kind: "drain" };
  return drained.problem === undefined ? step : stop("not-drained", drained.problem);
}
