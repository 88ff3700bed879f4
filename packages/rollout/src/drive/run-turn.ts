import type { UpdateProgress, UpdateStatus } from "@ashlar/protocol";
import { followTurn, type Action, type FollowOptions, type Plan } from "./follow-turn.ts";
import { beforeOrder, beforeReboot, type Drained, type Foreseen } from "../cluster/before-reboot.ts";
import { NEW_TURN, nextStep, type End, type Facts, type Goal, type Step, type TurnState } from "../turn/turn.ts";

/** One node as an update sees it. All throw AshlarError `unavailable` when it does not answer. */
export type NodeAccess = {
  readonly name: string;
  readonly status: (signal: AbortSignal) => Promise<UpdateStatus>;
  /** What is wrong with the claim that it runs `version` now; undefined when that is proven. */
  readonly prove: (version: string, signal: AbortSignal) => Promise<string | undefined>;
  /** The same about what it boots next. */
  readonly proveNextBoot: (version: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Tells it what the goal says. Also throws when the node refuses. */
  readonly order: (goal: Goal, signal: AbortSignal) => Promise<UpdateStatus>;
  readonly reboot: (signal: AbortSignal) => Promise<void>;
};

export type TurnOptions = FollowOptions<UpdateStatus> & {
  readonly resumed: boolean;
  /** Called before the node is changed for the first time, with the version that it runs. */
  readonly beforeChange: (version: string) => Promise<void>;
  /** For a member of a cluster: called before it is told anything. Gives why it could not be drained. */
  readonly foreseeDrain?: (signal: AbortSignal) => Promise<string | undefined>;
  /** For a member of a cluster: called before it restarts, and not again in the same boot. Gives why it may not. */
  readonly drain?: (status: UpdateStatus, signal: AbortSignal) => Promise<string | undefined>;
  /**
   * The boot that it was told to leave in the turn that this goes on with, or was about to be told. In any other boot it has
   * restarted, and is not told so again.
   */
  readonly restartedFrom?: string | undefined;
};

export type TurnResult = {
  readonly end: End;
  /** What the node ran at the beginning; undefined when it never answered. */
  readonly from: string | undefined;
  /** What it runs now, when that is proven. */
  readonly proven: string | undefined;
  /** Of this turn's staging. */
  readonly progress: UpdateProgress | undefined;
  /** The boot that it was seen in last; undefined when it never answered. */
  readonly bootId: string | undefined;
  /** It was told to restart. */
  readonly hasRestarted: boolean;
};

/** Does a node's turn to its end. */
export async function runTurn(node: NodeAccess, goal: Goal, options: TurnOptions): Promise<TurnResult> {
  const plan = new ReleasePlan(node, goal, options);
  const { end, progress } = await followTurn(plan, options);
  const { from, proven, bootId, hasRestarted } = plan;
  return { end, progress, from, proven, bootId, hasRestarted };
}

class ReleasePlan implements Plan<UpdateStatus> {
  readonly #node: NodeAccess;
  readonly #goal: Goal;
  readonly #beforeChange: TurnOptions["beforeChange"];
  readonly #foreseeDrain: TurnOptions["foreseeDrain"];
  readonly #drain: TurnOptions["drain"];
  readonly #restartedFrom: string | undefined;
  #state: TurnState;
  #foreseen: Foreseen | undefined;
  #drained: Drained | undefined;
  #bootId: string | undefined;
  #changed = false;
  #status: UpdateStatus | undefined;
  #from: string | undefined;

  constructor(
    node: NodeAccess,
    goal: Goal,
    { resumed, beforeChange, foreseeDrain, drain, restartedFrom }: TurnOptions,
  ) {
    this.#node = node;
    this.#goal = goal;
    this.#beforeChange = beforeChange;
    this.#foreseeDrain = foreseeDrain;
    this.#drain = drain;
    this.#restartedFrom = restartedFrom;
    this.#state = { ...NEW_TURN, resumed };
  }

  get node(): string {
    return this.#node.name;
  }

  get from(): string | undefined {
    return this.#from;
  }

  get bootId(): string | undefined {
    return this.#bootId;
  }

  get hasRestarted(): boolean {
    return this.#state.rebootedFrom !== undefined;
  }

  get proven(): string | undefined {
    const { proof } = this.#state;
    const isProven = proof !== undefined && proof.problem === undefined && proof.bootId === this.#status?.bootId;
    return isProven ? this.#status?.version : undefined;
  }

  async ask(signal: AbortSignal): Promise<UpdateStatus> {
    return await this.#node.status(signal);
  }

  decide(facts: Facts): Step {
    this.#status = facts.status;
    if (facts.status !== undefined) {
      this.#from ??= facts.status.version;
      this.#bootId = facts.status.bootId;
      const hasLeft = this.#restartedFrom !== undefined && facts.status.bootId !== this.#restartedFrom;
      const left = hasLeft ? { rebootedFrom: this.#state.rebootedFrom ?? this.#restartedFrom } : {};
      this.#state = { ...this.#state, ...left };
    }
    const next = nextStep(this.#goal, this.#state, facts);
    const step = this.#foreseeDrain === undefined ? next : beforeOrder(next, this.#foreseen);
    return this.#drain === undefined ? step : beforeReboot(step, this.#drained, facts.status?.bootId);
  }

  async perform(kind: Action, status: UpdateStatus, signal: AbortSignal): Promise<void> {
    const { bootId, version } = status;
    if (kind === "prove") {
      const problem = await this.#node.prove(version, signal);
      this.#state = { ...this.#state, proof: { bootId, problem } };
    } else if (kind === "prove-next-boot") {
      const problem = await this.#node.proveNextBoot(this.#goal.target, signal);
      this.#state = { ...this.#state, nextBoot: { bootId, problem } };
    } else if (kind === "foresee-drain") {
      this.#foreseen = { problem: await this.#foreseeDrain?.(signal) };
    } else if (kind === "drain") {
      this.#drained = { bootId, problem: await this.#drain?.(status, signal) };
    } else {
      if (!this.#changed) await this.#beforeChange(version);
      this.#changed = true;
      // Set first: the answer to the order to restart may be lost with the connection.
      if (kind === "order") this.#state = { ...this.#state, ordered: true };
      else this.#state = { ...this.#state, rebootedFrom: bootId };
      // To a node, a rollback leads away from what it runs: that this boots next again is an update.
      const goal: Goal = version === this.#goal.target ? { ...this.#goal, order: "update" } : this.#goal;
      await (kind === "order" ? this.#node.order(goal, signal) : this.#node.reboot(signal));
    }
  }
}
