import { DIFFERENCE_CODES, type DifferenceCode, type Level } from "@ashlar/identity";
import type { MarkedNode, NodeClassObject, NodeProofObject, NodeProofStatus, RolloutObject } from "@ashlar/kube";
import { NODE_STATES, PHASES } from "@ashlar/rollout";
import {
  commonMetrics,
  METRIC_LEVELS,
  type AskCounters,
  type CommonFacts,
  type ProcessUsage,
} from "@ashlar/watch/common-metrics";
import { one, type Metric, type Sample } from "@ashlar/watch/metric";
import { CLASS_QUARANTINE_REASONS } from "./class-quarantine.ts";
import { QUARANTINE_REASONS } from "./quarantine.ts";
import { isComplete } from "./whose-turn.ts";

export type OperatorFacts = {
  readonly isLeading: boolean;
  readonly counters: AskCounters;
  readonly usage: ProcessUsage;
  /** When a node was asked last, milliseconds since 1970; undefined when none was. */
  readonly lastAskedMs: number | undefined;
  /** By their names; empty while another one leads. */
  readonly nodes: ReadonlyMap<string, MarkedNode>;
  readonly proofs: ReadonlyMap<string, NodeProofObject>;
  readonly classes: readonly NodeClassObject[];
  /** By class: when what its repository says is no longer trusted, milliseconds since 1970. Classes without a repository are left out. */
  readonly expires: ReadonlyMap<string, number>;
  readonly rollouts: readonly RolloutObject[];
  /** The class of each node. */
  readonly held: ReadonlyMap<string, string>;
  readonly nowMs: number;
};

type NodeFacts = { readonly className: string; readonly status: NodeProofStatus };

/** All that `/metrics` of `ashlar operator` says, in its order. */
export const OPERATOR_METRICS: readonly Metric<OperatorFacts>[] = [
  {
    name: "ashlar_operator_leading",
    kind: "gauge",
    help: "1 for the operator that works, 0 for one that waits. Who waits says nothing of nodes, classes and Rollouts.",
    labels: {},
    samples: one(({ isLeading }) => Number(isLeading)),
  },
  {
    name: "ashlar_operator_last_question_timestamp_seconds",
    kind: "gauge",
    help: "When a node was asked last, seconds since 1970. 0 before the first time.",
    labels: {},
    samples: one(({ lastAskedMs = 0 }) => lastAskedMs / 1000),
  },
  {
    name: "ashlar_nodes",
    kind: "gauge",
    help: "Nodes of classes by the level of what they run and boot next. A proof that is too old counts as unknown.",
    labels: { class: "NodeClass", level: METRIC_LEVELS },
    samples: (facts) => countBy(facts, "level", METRIC_LEVELS, ({ status }) => levelOf(status)),
  },
  {
    name: "ashlar_nodes_quarantined",
    kind: "gauge",
    help: "Nodes by the reason of their condition Quarantined. A reason that no node of the class has is left out.",
    labels: { class: "NodeClass", reason: QUARANTINE_REASONS },
    samples: (facts) =>
      countBy(facts, "reason", QUARANTINE_REASONS, ({ status }) => conditionOf(status, "Quarantined")?.reason).filter(
        ([, count]) => count > 0,
      ),
  },
  {
    name: "ashlar_class_ready",
    kind: "gauge",
    help: "1 when nodes can be held against the class.",
    labels: { class: "NodeClass" },
    samples: ({ classes }) =>
      classes.map(({ name, status }) => [{ class: name }, Number(conditionOf(status, "Ready")?.status === "True")]),
  },
  {
    name: "ashlar_class_releases_expire_timestamp_seconds",
    kind: "gauge",
    help: "When the index of the class's repository is no longer trusted, unless it is signed anew, seconds since 1970. A class without one is left out.",
    labels: { class: "NodeClass" },
    samples: ({ expires }) => [...expires].map(([name, ms]): Sample => [{ class: name }, ms / 1000]),
  },
  {
    name: "ashlar_class_quarantine",
    kind: "gauge",
    help: "1 for the reason of the class's condition Quarantine. A class that asks for no quarantine is left out.",
    labels: { class: "NodeClass", reason: CLASS_QUARANTINE_REASONS },
    samples: ({ classes }) =>
      classes.flatMap(({ name, status }): Sample[] => {
        const reason = CLASS_QUARANTINE_REASONS.find((each) => each === conditionOf(status, "Quarantine")?.reason);
        return reason === undefined ? [] : [[{ class: name, reason }, 1]];
      }),
  },
  {
    name: "ashlar_rollouts",
    kind: "gauge",
    help: "Rollouts by their phase; of those that are Done also those that are history.",
    labels: { phase: PHASES },
    samples: ({ rollouts }) =>
      PHASES.map((phase) => [
        { phase },
        rollouts.filter(({ status }) => (status?.phase ?? "Pending") === phase).length,
      ]),
  },
  {
    name: "ashlar_rollout_nodes",
    kind: "gauge",
    help: "Nodes of the class's Rollouts that are not history, by their state. A state that no node has is left out.",
    labels: { class: "NodeClass", state: NODE_STATES },
    samples: ({ rollouts }) => [...byClass(rollouts)].flatMap(([name, own]) => statesOf(name, own)),
  },
  {
    name: "ashlar_rollout_changed_timestamp_seconds",
    kind: "gauge",
    help: "When a node of the class's Rollouts that are not history has got to another state, seconds since 1970.",
    labels: { class: "NodeClass" },
    samples: ({ rollouts }) =>
      [...byClass(rollouts)].flatMap(([name, own]): Sample[] => {
        const times = own.flatMap(({ status }) => status?.nodes ?? []).map(({ since }) => Date.parse(since));
        const last = times.reduce((latest, each) => Math.max(latest, each), 0);
        return last === 0 ? [] : [[{ class: name }, last / 1000]];
      }),
  },
  ...commonMetrics(commonOf),
];

function commonOf(facts: OperatorFacts): CommonFacts {
  const known = new Set<string>(Object.keys(DIFFERENCE_CODES));
  const isKnown = (code: string): code is DifferenceCode => known.has(code);
  const all = nodesOf(facts);
  return {
    counters: facts.counters,
    usage: facts.usage,
    codes: all.map(({ status }) => (status.differences ?? []).map(({ code }) => code).filter((code) => isKnown(code))),
    evidenceAges: all.flatMap(({ status: { lastProved } }) =>
      lastProved === undefined ? [] : Math.max(0, (facts.nowMs - Date.parse(lastProved)) / 1000),
    ),
  };
}

/** Those that have a class: of the others nothing was declared. */
function nodesOf({ nodes, proofs, held }: OperatorFacts): readonly NodeFacts[] {
  return [...held].flatMap(([name, className]) =>
    nodes.has(name) ? [{ className, status: proofs.get(name)?.status ?? {} }] : [],
  );
}

function levelOf(status: NodeProofStatus): Level {
  const proven = conditionOf(status, "Proven")?.status;
  if (proven === "True") return "proven";
  if (proven !== "False") return "unknown";
  const { level, nextBoot } = status;
  return level === "mismatch" || nextBoot?.level === "mismatch" ? "mismatch" : "reported";
}

function conditionOf(
  { conditions = [] }: Pick<NodeProofStatus, "conditions">,
  wanted: string,
): { readonly status: string; readonly reason: string } | undefined {
  return conditions.find(({ type }) => type === wanted);
}

function countBy(
  facts: OperatorFacts,
  label: string,
  values: readonly string[],
  of: (node: NodeFacts) => string | undefined,
): readonly Sample[] {
  const groups = Map.groupBy(nodesOf(facts), (node) => `${node.className} ${of(node) ?? ""}`);
  return facts.classes.flatMap(({ name }) =>
    values.map((value): Sample => [{ class: name, [label]: value }, groups.get(`${name} ${value}`)?.length ?? 0]),
  );
}

function byClass(rollouts: readonly RolloutObject[]): ReadonlyMap<string, readonly RolloutObject[]> {
  const open = rollouts.filter((each) => !isComplete(each) && each.spec !== undefined);
  return Map.groupBy(open, ({ spec }) => spec?.class ?? "");
}

function statesOf(className: string, rollouts: readonly RolloutObject[]): readonly Sample[] {
  const states = Map.groupBy(
    rollouts.flatMap(({ status }) => status?.nodes ?? []),
    ({ state }) => state,
  );
  return [...states].map(([state, own]) => [{ class: className, state }, own.length]);
}
