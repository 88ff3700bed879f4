import type { RolloutNode, RolloutObject } from "@ashlar/kube";
import { policyOf } from "@ashlar/operator/rollout-policy";
import { waveNames } from "@ashlar/rollout";
import { ROLLOUTS_SCHEMA, type RolloutsView, type RolloutView, type RolloutWaveView } from "@ashlar/views";

/** @param nowMs the clock of who makes the document */
export function rolloutsView(rollouts: readonly RolloutObject[], nowMs: number): RolloutsView {
  const newestFirst = rollouts.toSorted((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
  return {
    schema: ROLLOUTS_SCHEMA,
    at: new Date(nowMs).toISOString(),
    problem: null,
    rollouts: newestFirst.map((rollout) => rolloutView(rollout)),
  };
}

function keyOf({ createdAt, name }: RolloutObject): string {
  return `${createdAt} ${name}`;
}

export function rolloutView(rollout: RolloutObject): RolloutView {
  const { name, spec, status = {}, generation, createdAt, isDeleting, fault } = rollout;
  const { phase, wave, message, halt, total = 0, done = 0 } = status;
  return {
    name,
    class: spec?.class ?? null,
    release: spec?.release ?? null,
    phase: phase ?? "Pending",
    isCurrent: status.observedGeneration === generation,
    isPaused: spec?.paused === true,
    isAborted: spec?.aborted === true,
    isDeleting,
    attempt: spec?.attempt ?? null,
    wave: wave ?? null,
    message: fault ?? message ?? null,
    halt: halt ?? null,
    createdAt,
    total,
    done,
    waves: wavesOf(rollout),
  };
}

/** In the order in which they go; who is of a wave that is no longer declared stands at the end. */
function wavesOf({ spec, status }: RolloutObject): readonly RolloutWaveView[] {
  const groups = Map.groupBy(status?.nodes ?? [], ({ wave }) => wave);
  const declared = spec === undefined ? [] : waveNames(policyOf(spec));
  const names = [...declared, ...[...groups.keys()].filter((name) => !declared.includes(name))];
  return names.flatMap((name) => {
    const nodes = groups.get(name);
    if (nodes === undefined) return [];
    const part = nodes.filter(({ state }) => state !== "Skipped" && state !== "Gone");
    return [
      {
        name,
        isApproved: spec?.approval !== "each-wave" || spec.approvedWaves.includes(name),
        total: part.length,
        done: part.filter(({ state }) => state === "Done").length,
        nodes: nodes.map(nodeView),
      },
    ];
  });
}

function nodeView({ name, state, since, message, from, drains }: RolloutNode): RolloutWaveView["nodes"][number] {
  return { name, state, since, message: message ?? null, from: from ?? null, drains: drains ?? 0 };
}
