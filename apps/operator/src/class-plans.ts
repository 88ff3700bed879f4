import { join } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import type { NodeClassObject } from "@ashlar/kube";
import { makePlan, planKey, type ClassPlan, type Sources } from "./class-plan.ts";

/** How far a class is. */
export type PlanState =
  | { readonly kind: "making" }
  | { readonly kind: "ready"; readonly plan: ClassPlan }
  | { readonly kind: "fault"; readonly message: string };

type Kept = { readonly key: string; state: PlanState; madeMs: number };

/** A repository that could not be read may be read later, and it may have something new. */
const AGAIN_MS = 600_000;
const AGAIN_AFTER_FAULT_MS = 30_000;

/** The plans of all classes. Making one takes time, which neither the other classes nor their nodes wait for. */
export class ClassPlans {
  readonly #directory: string;
  readonly #signal: AbortSignal;
  readonly #onMade: () => void;
  readonly #kept: Map<string, Kept> = new Map();

  constructor(directory: string, signal: AbortSignal, onMade: () => void) {
    this.#directory = directory;
    this.#signal = signal;
    this.#onMade = onMade;
  }

  /** What is known of the class now. A change is noticed, and its plan is made. */
  of(object: NodeClassObject, sources: Sources): PlanState {
    const key = planKey(object, sources);
    const kept = this.#kept.get(object.uid);
    if (kept?.key !== key) {
      const made: Kept = { key, state: { kind: "making" }, madeMs: performance.now() };
      this.#kept.set(object.uid, made);
      void this.#make(made, object, sources);
      return made.state;
    }
    if (this.#isOld(kept, object)) {
      kept.madeMs = performance.now();
      void this.#make(kept, object, sources);
    }
    return kept.state;
  }

  /** By name: when what is read of a class's repository is no longer trusted, milliseconds since 1970. */
  expires(classes: readonly NodeClassObject[]): ReadonlyMap<string, number> {
    return new Map(
      classes.flatMap(({ name, uid }) => {
        const state = this.#kept.get(uid)?.state;
        const expiresMs = state?.kind === "ready" ? state.plan.expiresMs : undefined;
        return expiresMs === undefined ? [] : [[name, expiresMs] as const];
      }),
    );
  }

  /** Of classes that are gone. */
  forgetBut(uids: ReadonlySet<string>): void {
    for (const uid of this.#kept.keys()) if (!uids.has(uid)) this.#kept.delete(uid);
  }

  #isOld({ state, madeMs }: Kept, { spec }: NodeClassObject): boolean {
    if (spec?.releases.url === undefined || state.kind === "making") return false;
    return performance.now() - madeMs > (state.kind === "fault" ? AGAIN_AFTER_FAULT_MS : AGAIN_MS);
  }

  async #make(kept: Kept, object: NodeClassObject, sources: Sources): Promise<void> {
    try {
      const plan = await makePlan(object, sources, join(this.#directory, object.uid), this.#signal);
      kept.state = { kind: "ready", plan };
    } catch (error) {
      // A repository that was read before, and is away now, changes nothing.
      const isAway = error instanceof AshlarError && error.code === "unavailable" && kept.state.kind === "ready";
      if (!isAway) kept.state = { kind: "fault", message: messageOf(error) };
    }
    kept.madeMs = performance.now();
    this.#onMade();
  }
}
