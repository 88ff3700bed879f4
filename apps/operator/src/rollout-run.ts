import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError, messageOf } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import type { RolloutObject, RolloutSpec, RolloutStatus } from "@ashlar/kube";
import { afterEvent, lookAtFleet, type Fleet, type FleetNode, type NodeEvent } from "@ashlar/rollout";
import type { ClassPlan } from "./class-plan.ts";
import type { PlanState } from "./class-plans.ts";
import { policyFault, policyOf } from "./decide/rollout-policy.ts";
import { rolloutEvents } from "./decide/rollout-events.ts";
import { rolloutSkew } from "./decide/rollout-skew.ts";
import { fleetOf, keptStatus, outlookAtEnd, statusOf, tooMany, type Outlook } from "./decide/rollout-status.ts";
import type { Reason } from "./decide/reasons.ts";
import { isBusy, isComplete, isEnding } from "./decide/whose-turn.ts";
import { GateReaders } from "./gates/gate-readers.ts";
import { RolloutJobs } from "./rollout-jobs.ts";
import type { RunOptions } from "./rollout-options.ts";

export type RunFacts = {
  /** The nodes that it may deal with. */
  readonly nodes: readonly FleetNode[];
  /** Of its class; undefined when there is none. */
  readonly plan: PlanState | undefined;
  /** The Rollout that goes first. */
  readonly waitsFor: string | undefined;
};

/** Keeps a Rollout that is deleted until its nodes have come home. */
export const FINALIZER = "ashlar.dev/rollout";
/** What is watched shows soon what somebody else has written. */
const AGAIN_MS = 300;
const AWAY_MS = 1000;
/** Limits, windows and times to stay proven end by the clock. */
const LOOK_MS = 5000;

/**
 * One Rollout. What is remembered is its status, as it was written last: a job begins only when what it follows from has been
 * written, and a node is told to restart only when that it will be has been.
 */
export class RolloutRun {
  readonly #options: RunOptions;
  readonly #jobs: RolloutJobs;
  readonly #gates: GateReaders;
  #object: RolloutObject;
  #isWriting = false;
  #notBeforeMs = 0;
  /** The version of which it was said that it cannot be read. */
  #unreadable = "";
  /** What the API server does not let this operator do. */
  #refusal: string | undefined;
  /** Events are written one after the other. */
  #telling: Promise<unknown> = Promise.resolve();

  constructor(object: RolloutObject, options: RunOptions) {
    this.#object = object;
    this.#options = options;
    this.#gates = new GateReaders(options);
    this.#jobs = new RolloutJobs(options, async (name, event, signal) => await this.#tell(name, event, signal));
  }

  /** As it is known: what was written here is newer than what is watched. */
  get object(): RolloutObject {
    return this.#object;
  }

  see(found: RolloutObject): void {
    if (isNewer(found, this.#object)) this.#object = found;
  }

  stop(): void {
    this.#gates.stop();
    this.#jobs.keep(new Map());
  }

  /** @returns in how many milliseconds to look again */
  look({ nodes, plan, waitsFor }: RunFacts): number {
    const object = this.#object;
    const { spec, status, fault, generation, isDeleting, finalizers } = object;
    if (this.#isWriting || performance.now() < this.#notBeforeMs) return AWAY_MS;
    if (isDeleting && !finalizers.includes(FINALIZER)) return LOOK_MS;
    if (spec === undefined || status === undefined) {
      this.stop();
      if (this.#unreadable !== object.resourceVersion)
        this.#options.onLine(`Rollout ${object.name}: ${UNREADABLE}: ${fault}`);
      this.#unreadable = object.resourceVersion;
      return LOOK_MS;
    }
    if (isComplete(object)) {
      this.#gates.stop();
      return LOOK_MS;
    }
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal !== undefined) {
      this.#pause();
      return this.#keep("NotAllowed", `${refusal}; deploy/operator/rollout-rights.yaml has the rights`);
    }
    const why = faultOf(spec, nodes, plan);
    const read = fleetOf(status);
    if ("fault" in read) return this.#keep("StatusUnreadable", `${UNREADABLE}: ${read.fault}`);
    // What ends and has nobody on the way needs nothing of what cannot be read.
    const mayEnd = isEnding(object) && !isBusy(object) && !this.#jobs.isAny;
    if (isDeleting && mayEnd) return this.#finalize(without(finalizers));
    if (!mayEnd) {
      if (plan?.kind === "making") return LOOK_MS;
      if (waitsFor !== undefined) return this.#keep("Waits", `the Rollout ${waitsFor} of the same class goes first`);
      if (why !== undefined || plan?.kind !== "ready") return this.#keep("NotUsable", why ?? "");
    }
    if (!isEnding(object) && !finalizers.includes(FINALIZER)) return this.#finalize([...finalizers, FINALIZER]);
    const names = [...nodes.map(({ name }) => name), ...read.fleet.records.map(({ name }) => name)];
    const ready = plan?.kind === "ready" ? plan.plan : undefined;
    const policy = policyOf(spec, {
      leftOut: isEnding(object) ? names : [],
      ...(ready && { refusal: rolloutSkew(spec.release, ready, this.#options.serverVersion), rollout: ready.rollout }),
    });
    const look = lookAtFleet(policy, read.fleet, nodes, { nowMs: Date.now(), gates: this.#gates.readings });
    this.#gates.keep(isEnding(object) ? [] : look.gates, object);
    const outlook = isEnding(object) ? outlookAtEnd(look, isDeleting) : look;
    const next = statusOf(look.fleet, outlook, status, generation, Date.now());
    if (next !== status) {
      this.#writeSoon(next);
      return LOOK_MS;
    }
    if (ready !== undefined) this.#jobs.keep(look.jobs, { spec, plan: ready, fleet: read.fleet });
    return LOOK_MS;
  }

  /** Nothing goes on, what is remembered stays, and it is said why. */
  #keep(reason: Reason, message: string): number {
    this.stop();
    const { status = {}, generation } = this.#object;
    const next = keptStatus(status, { reason, message }, generation, Date.now());
    if (next !== status) this.#writeSoon(next);
    return LOOK_MS;
  }

  #finalize(finalizers: readonly string[]): number {
    const { cluster, signal } = this.#options;
    this.#busy(async () => await cluster.writeFinalizers(this.#object, finalizers, signal));
    return LOOK_MS;
  }

  #writeSoon(status: RolloutStatus): void {
    this.#busy(async () => await this.#write(this.#object, status));
  }

  /** One write at a time follows from a look. What is written is known at once, and looked at. */
  #busy(write: () => Promise<RolloutObject>): void {
    this.#isWriting = true;
    const work = async (): Promise<void> => {
      try {
        this.see(await write());
      } catch (error) {
        if (error instanceof AshlarError && (error.code === "interrupted" || error.code === "not-found")) return;
        const isPassing = error instanceof AshlarError && error.code === "conflict";
        if (isPassing) await sleep(AGAIN_MS);
        else {
          if (error instanceof AshlarError && error.code === "privilege") this.#refusal = error.message;
          this.#options.onLine(`Rollout ${this.#object.name}: ${messageOf(error)}`);
          this.#pause();
        }
      } finally {
        this.#isWriting = false;
        this.#options.wake();
      }
    };
    void work();
  }

  #pause(): void {
    this.#notBeforeMs = performance.now() + LOOK_MS;
  }

  async #write(object: RolloutObject, status: RolloutStatus): Promise<RolloutObject> {
    const { cluster, signal } = this.#options;
    const written = await cluster.writeRollout(object, status, signal);
    void this.#report(object, status);
    return written;
  }

  async #report(object: RolloutObject, status: RolloutStatus): Promise<void> {
    const { cluster, signal, onLine } = this.#options;
    const { name, uid } = object;
    try {
      for (const event of rolloutEvents(object.status ?? {}, status)) {
        onLine(`Rollout ${name}: ${event.reason}: ${event.note}`);
        await cluster.report({ about: { name, uid, kind: "Rollout" }, ...event }, signal);
      }
    } catch (error) {
      if (!signal.aborted) onLine(`Rollout ${name}: ${messageOf(error)}`);
    }
  }

  /** Writes down what has happened to a node. @returns false when that cannot follow now */
  async #tell(name: string, event: NodeEvent, signal: AbortSignal): Promise<boolean> {
    const telling = this.#telling.then(async () => await this.#tellNow(name, event, signal));
    this.#telling = telling.catch(() => undefined);
    return await telling;
  }

  async #tellNow(name: string, event: NodeEvent, signal: AbortSignal): Promise<boolean> {
    while (true) {
      throwIfInterrupted(signal);
      const object = this.#object;
      const { status = {}, generation } = object;
      const read = fleetOf(status);
      if ("fault" in read || object.status === undefined) return false;
      const fleet: Fleet | undefined = afterEvent(read.fleet, name, event, Date.now());
      if (fleet === undefined) return false;
      if (fleet === read.fleet) return true;
      const outlook: Outlook = { phase: status.phase ?? "Rolling", wave: status.wave, waitsFor: status.message };
      try {
        const next = statusOf(fleet, outlook, status, status.observedGeneration ?? generation, Date.now());
        this.see(await this.#write(object, next));
        this.#options.wake();
        return true;
      } catch (error) {
        throwIfInterrupted(signal);
        if (!(error instanceof AshlarError)) throw error;
        if (error.code !== "conflict" && error.code !== "unavailable") throw error;
        await sleep(error.code === "conflict" ? AGAIN_MS : AWAY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

const UNREADABLE =
  "it is not as this operator writes it, so nothing is done: put back what was there, or delete it and look after its nodes";

function without(finalizers: readonly string[]): readonly string[] {
  return finalizers.filter((each) => each !== FINALIZER);
}

/** Why the spec cannot be carried out as things are. */
function faultOf(spec: RolloutSpec, nodes: readonly FleetNode[], plan: PlanState | undefined): string | undefined {
  if (plan === undefined) return `expected the NodeClass ${spec.class}, found none of this name`;
  if (plan.kind === "fault") return `the NodeClass ${spec.class} cannot be used: ${plan.message}`;
  return policyFault(spec) ?? tooMany(nodes.length) ?? (plan.kind === "ready" ? planFault(spec, plan.plan) : undefined);
}

function planFault({ class: name, release }: RolloutSpec, { operatorPem, releases }: ClassPlan): string | undefined {
  if (operatorPem === undefined) {
    return `expected operatorKey in the NodeClass ${name}, the key whose orders its nodes take, found none`;
  }
  if (releases.some(({ version }) => version === release)) return undefined;
  const versions = releases.map(({ version }) => version).join(", ");
  return `expected the manifest of release ${release} in the NodeClass ${name}, found ${versions}`;
}

/** Versions of objects of one kind are numbers that grow (Kubernetes API Concepts, resource versions). */
function isNewer(found: RolloutObject, known: RolloutObject): boolean {
  const [a, b] = [found.resourceVersion, known.resourceVersion];
  return a.length === b.length ? a > b : a.length > b.length;
}
