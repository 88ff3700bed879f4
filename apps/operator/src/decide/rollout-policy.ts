import { isTimeZone } from "@ashlar/declaration";
import type { NodeRollout, RolloutSpec } from "@ashlar/kube";
import type { DrainPolicy, FleetPolicy } from "@ashlar/rollout";

/** What cannot be carried out, in words that say what to change; undefined when all can. The API server has checked the rest. */
export function policyFault({ windows }: RolloutSpec): string | undefined {
  const wrong = windows.find(({ timeZone }) => !isTimeZone(timeZone));
  return wrong && `spec.windows: expected a time zone such as Europe/Prague, found ${wrong.timeZone}`;
}

export type PolicyFacts = {
  /** More names than the spec has. */
  readonly leftOut?: readonly string[];
  /** Why nobody may be taken there as things are. */
  readonly refusal?: string | undefined;
  /** What the class says. */
  readonly rollout?: NodeRollout;
};

export function policyOf(spec: RolloutSpec, { leftOut = [], refusal, rollout = {} }: PolicyFacts = {}): FleetPolicy {
  const { concurrency, canary, spreadKey, drain, limits } = spec;
  const { waves, windows, approval, approvedWaves, paused, tolerate, attempt } = spec;
  return {
    target: spec.release,
    concurrency:
      concurrency.percent === undefined ? { nodes: concurrency.nodes ?? 1 } : { percent: concurrency.percent },
    ...(canary === undefined ? {} : { canary: { nodes: canary.nodes, soakMs: canary.soakSeconds * 1000 } }),
    waves,
    reverse: spec.reverse,
    exclude: [...spec.exclude, ...leftOut],
    ...(spreadKey === undefined ? {} : { spreadKey }),
    windows,
    approval,
    approvedWaves,
    gates: spec.gates.map(({ name, before }) => ({ name, before })),
    ...(refusal === undefined ? {} : { refusal }),
    paused,
    tolerate,
    drains: { attempts: drain.attempts, retryMs: drain.retrySeconds * 1000 },
    limits: {
      stagingMs: limits.stagingSeconds * 1000,
      beforeRebootMs: (rollout.beforeReboot?.timeoutSeconds ?? 0) * 1000,
      drainMs: drain.timeoutSeconds * 1000,
      bootMs: limits.bootSeconds * 1000,
      afterRebootMs: (rollout.afterReboot?.timeoutSeconds ?? 0) * 1000,
    },
    attempt,
  };
}

export function drainPolicyOf({ drain }: RolloutSpec): DrainPolicy {
  const { timeoutSeconds, graceSeconds, deleteEmptyDirs, force, blockedBy } = drain;
  return { timeoutMs: timeoutSeconds * 1000, graceSeconds, deleteEmptyDirs, force, blockedBy };
}
