import type { UpdateProgress, ExtensionsStatus, MergedExtension } from "@ashlar/protocol";
import type { ComponentAccess } from "./component-access.ts";
import {
  lastFailure,
  mergedOf,
  NEW_COMPONENT_TURN,
  nextComponentStep,
  situationOf,
  type ComponentGoal,
  type ComponentState,
} from "../turn/component-turn.ts";
import { followTurn, type Action, type FollowOptions, type Plan } from "./follow-turn.ts";
import type { End, Facts, Step } from "../turn/turn.ts";

export type ComponentTurnOptions = FollowOptions<ExtensionsStatus> & {
  readonly resumed: boolean;
  /** Called before the node is changed, with what it has of the component. */
  readonly beforeChange: (merged: MergedExtension | undefined) => Promise<void>;
};

export type ComponentTurnResult = {
  readonly end: End;
  /** The version that the node had at the beginning; undefined without one. */
  readonly from: string | undefined;
  /** Whether what it has now is proven, and which version that is. */
  readonly isProven: boolean;
  readonly version: string | undefined;
  readonly progress: UpdateProgress | undefined;
};

/** Does a node's turn to its end. */
export async function runComponentTurn(
  node: ComponentAccess,
  goal: ComponentGoal,
  options: ComponentTurnOptions,
): Promise<ComponentTurnResult> {
  const plan = new ComponentPlan(node, goal, options);
  const followed = await followTurn(plan, options);
  return { ...followed, from: plan.from, isProven: plan.isProven, version: plan.version };
}

class ComponentPlan implements Plan<ExtensionsStatus> {
  readonly #node: ComponentAccess;
  readonly #goal: ComponentGoal;
  readonly #beforeChange: ComponentTurnOptions["beforeChange"];
  #state: ComponentState;
  #status: ExtensionsStatus | undefined;
  #from: string | undefined;
  #hasAnswered = false;

  constructor(node: ComponentAccess, goal: ComponentGoal, { resumed, beforeChange }: ComponentTurnOptions) {
    this.#node = node;
    this.#goal = goal;
    this.#beforeChange = beforeChange;
    this.#state = { ...NEW_COMPONENT_TURN, resumed };
  }

  get node(): string {
    return this.#node.name;
  }

  get from(): string | undefined {
    return this.#from;
  }

  get version(): string | undefined {
    return this.#status === undefined ? undefined : mergedOf(this.#status, this.#goal.component)?.version;
  }

  get isProven(): boolean {
    const { proof } = this.#state;
    if (this.#status === undefined || proof === undefined || proof.problem !== undefined) return false;
    return proof.situation === situationOf(this.#status, this.#goal.component);
  }

  async ask(signal: AbortSignal): Promise<ExtensionsStatus> {
    return await this.#node.status(signal);
  }

  decide(facts: Facts<ExtensionsStatus>): Step {
    this.#status = facts.status;
    if (facts.status !== undefined) {
      if (!this.#hasAnswered) this.#from = this.version;
      this.#hasAnswered = true;
      // The node's own timer may give it another order next, which forgets why this one failed.
      const { ordered, error } = this.#state;
      if (ordered) this.#state = { ...this.#state, error: error ?? facts.status.lastError };
    }
    return nextComponentStep(this.#goal, this.#state, facts);
  }

  async perform(kind: Action, status: ExtensionsStatus, signal: AbortSignal): Promise<void> {
    const { component } = this.#goal;
    if (kind === "prove") {
      const problem = await this.#node.prove(status, signal);
      this.#state = { ...this.#state, proof: { situation: situationOf(status, component), problem } };
      return;
    }
    await this.#beforeChange(mergedOf(status, component));
    const failedAt = lastFailure(this.#goal, status)?.at;
    // A node that goes back looks as before; but it has changed twice, and is proven anew.
    this.#state = { ...this.#state, ordered: true, failedAt, error: null, proof: undefined };
    await this.#node.order(this.#goal, signal);
  }
}
