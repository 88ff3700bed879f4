import { AshlarError } from "@ashlar/base";
import type { RolloutObject, RolloutSpec } from "@ashlar/kube";
import { policyOf } from "@ashlar/operator/rollout-policy";
import { waveNames } from "@ashlar/rollout";

/** What is to be changed of a Rollout as it is now; no `spec`: nothing, it is so already. */
export type RolloutChange = { readonly spec?: Partial<RolloutSpec>; readonly says: string };

export type DecideChange = (rollout: RolloutObject) => RolloutChange;

/** @param wave the one that is meant; without it, the one that waits for it now */
export function approving(wave: string | undefined): DecideChange {
  return (rollout) => {
    const spec = openSpec(rollout);
    if (spec.approval === "none") {
      throw new AshlarError("invalid", `${rollout.name}: expected approval: each-wave, found none: no wave waits`, {
        hint: "`kubectl ashlar rollout status` says what it waits for",
      });
    }
    const names = waveNames(policyOf(spec));
    const meant = wave ?? waitingWave(rollout, spec);
    if (!names.includes(meant)) {
      throw new AshlarError(
        "invalid",
        `${rollout.name}: expected one of its waves, ${names.join(", ")}, found ${meant}`,
      );
    }
    if (spec.approvedWaves.includes(meant)) return { says: `wave ${meant} was approved already` };
    return { spec: { approvedWaves: [...spec.approvedWaves, meant] }, says: `wave ${meant} approved` };
  };
}

/** The status may be about a spec that was another one: who is not looked at yet has to be named. */
function waitingWave({ name, status, generation }: RolloutObject, spec: RolloutSpec): string {
  const { wave, observedGeneration } = status ?? {};
  if (wave !== undefined && observedGeneration === generation && !spec.approvedWaves.includes(wave)) return wave;
  const found = wave === undefined ? "none that goes on" : `${wave}, which is approved or was not looked at yet`;
  throw new AshlarError("invalid", `${name}: expected a wave that waits to be approved, found ${found}`, {
    hint: `name one: ${waveNames(policyOf(spec)).join(", ")}`,
  });
}

export function pausing(rollout: RolloutObject): RolloutChange {
  const { paused } = openSpec(rollout);
  return paused ? { says: "was paused already" } : { spec: { paused: true }, says: "paused" };
}

/** @param retry whether a halt ends, and what has failed is tried again */
export function resuming(retry: boolean): DecideChange {
  return (rollout) => {
    const { paused, attempt } = openSpec(rollout);
    const { name, status } = rollout;
    if (retry) return { spec: { paused: false, attempt: attempt + 1 }, says: `resumed, attempt ${attempt + 1}` };
    // A halt of an attempt before is over: the operator has not looked yet.
    if (status?.halt !== undefined && (status.attempt ?? 1) >= attempt) {
      throw new AshlarError("invalid", `${name}: it has halted: ${status.halt.message}`, {
        hint: "when that is mended, --retry ends the halt and tries again what has failed",
      });
    }
    return paused ? { spec: { paused: false }, says: "resumed" } : { says: "was not paused" };
  };
}

export function aborting({ name, spec, status, generation }: RolloutObject): RolloutChange {
  if (spec?.aborted === true) return { says: "was aborted already" };
  if (status?.phase === "Done" && status.observedGeneration === generation)
    throw new AshlarError("invalid", `${name}: it is Done: nothing is left that could be aborted`);
  return { spec: { aborted: true }, says: "aborted" };
}

function openSpec({ name, spec, status, generation, isDeleting, fault }: RolloutObject): RolloutSpec {
  if (spec === undefined)
    throw new AshlarError("invalid", `${name}: it is none that this version understands: ${fault}`);
  const end =
    (spec.aborted && "it was aborted") ||
    (isDeleting && "it is deleted") ||
    (status?.phase === "Done" && status.observedGeneration === generation && "it is Done");
  if (end === false) return spec;
  throw new AshlarError("invalid", `${name}: expected a Rollout that goes on, found that ${end}`, {
    hint: "make another one to go on or back: docs/guides/rollouts.md",
  });
}
