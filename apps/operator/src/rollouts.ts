import type { RolloutObject } from "@ashlar/kube";
import type { FleetNode } from "@ashlar/rollout";
import type { ClassPlan } from "./class-plan.ts";
import type { PlanState } from "./class-plans.ts";
import { isComplete, isOnTheWay, whoWaits } from "./decide/whose-turn.ts";
import type { RolloutsOptions, RunOptions } from "./rollout-options.ts";
import { RolloutRun } from "./rollout-run.ts";

export type FleetMember = { readonly className: string | undefined; readonly node: FleetNode };

/** All Rollouts: who goes on, with which nodes, and what is right for nodes meanwhile. */
export class Rollouts {
  readonly #options: RunOptions;
  readonly #runs: Map<string, RolloutRun> = new Map();
  #waits: ReadonlyMap<string, string> = new Map();

  constructor(options: RolloutsOptions) {
    const right = (name: string, plan: ClassPlan): ReadonlySet<string> =>
      new Set([plan.release, ...this.alsoRight(name, plan)]);
    this.#options = { ...options, right };
  }

  see(objects: readonly RolloutObject[]): void {
    const uids = new Set(objects.map(({ uid }) => uid));
    for (const [uid, run] of this.#runs) {
      if (uids.has(uid)) continue;
      run.stop();
      this.#runs.delete(uid);
    }
    for (const object of objects) {
      const run = this.#runs.get(object.uid);
      if (run === undefined) this.#runs.set(object.uid, new RolloutRun(object, this.#options));
      else run.see(object);
    }
    this.#waits = whoWaits(this.#objects);
  }

  get #objects(): readonly RolloutObject[] {
    return [...this.#runs.values()].map(({ object }) => object);
  }

  /**
   * The releases that are right for a node of a class beside the class's own: where a rollout takes it, or has taken it. What cannot
   * be known to be that release is not right.
   */
  alsoRight(name: string, { className, release, releases }: ClassPlan): readonly string[] {
    const found = this.#objects.flatMap((object) => {
      const { spec, status } = object;
      if (spec?.class !== className || spec.release === release) return [];
      // Who is left out after it has fetched the release may start it at any time.
      const isOne = status?.nodes?.some(
        (node) => node.name === name && (node.state !== "Skipped" || node.from !== undefined),
      );
      const goesOn = !isComplete(object) && !this.#waits.has(object.name);
      return isOne === true || (goesOn && !spec.exclude.includes(name)) ? [spec.release] : [];
    });
    const known = new Set(releases.map(({ version }) => version));
    return [...new Set(found)].filter((version) => known.has(version)).toSorted();
  }

  /** Begins and ends what follows. @returns in how many milliseconds to look again */
  look(members: readonly FleetMember[], plans: ReadonlyMap<string, PlanState>): number {
    const claimed = new Map<string, string>();
    for (const { object } of this.#runs.values()) {
      for (const { name, state } of object.status?.nodes ?? []) if (isOnTheWay(state)) claimed.set(name, object.uid);
    }
    let waitMs = Number.POSITIVE_INFINITY;
    for (const run of this.#runs.values()) {
      const { uid, name, spec } = run.object;
      // A node on its way stays with whoever has sent it, whatever class it is given meanwhile.
      const nodes = members.flatMap(({ className, node }) => {
        const owner = claimed.get(node.name);
        return owner === uid || (owner === undefined && className === spec?.class) ? [node] : [];
      });
      const facts = { nodes, plan: plans.get(spec?.class ?? ""), waitsFor: this.#waits.get(name) };
      waitMs = Math.min(waitMs, run.look(facts));
    }
    return waitMs;
  }
}
