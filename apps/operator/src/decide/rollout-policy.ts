import { isTimeZone } from "@ashlar/declaration";
import type { RolloutSpec } from "@ashlar/kube";
import type { DrainPolicy, FleetPolicy } from "@ashlar/rollout";

/** What cannot be carried out, in words that say what to change; undefined when all can. The API server has checked the rest. */
export function policyFault({ windows }: RolloutSpec): string | undefined {
  const wrong = windows.find(({ timeZone }) => !isTimeZone(timeZone));
  return wrong && `spec.windows: expected a time zone such as Europe/Prague, found ${wrong.timeZone}`;
}

/** @param leftOut more names than the spec has */
export function policyOf(spec: RolloutSpec, leftOut: readonly string[] = []): FleetPolicy {
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
    paused,
    tolerate,
    drains: { attempts: drain.attempts, retryMs: drain.retrySeconds * 1000 },
    limits: {
      stagingMs: limits.stagingSeconds * 1000,
      drainMs: drain.timeoutSeconds * 1000,
      bootMs: limits.bootSeconds * 1000,
    },
    attempt,
  };
}

export function drainPolicyOf({ drain }: RolloutSpec): DrainPolicy {
  const { timeoutSeconds, graceSeconds, deleteEmptyDirs, force } = drain;
  return { timeoutMs: timeoutSeconds * 1000, graceSeconds, deleteEmptyDirs, force };
}
