import type { Level } from "@ashlar/identity";
import {
  commonMetrics,
  METRIC_LEVELS,
  type AskCounters,
  type CommonFacts,
  type ProcessUsage,
} from "./common-metrics.ts";
import { one, type Metric, type Sample } from "./metric.ts";
import type { Standing } from "./standing.ts";

/** What has happened since this process started. */
export type Counters = AskCounters & {
  readonly changes: Readonly<Record<Level, number>>;
  readonly webhooks: { readonly delivered: number; readonly failed: number };
};

export type MetricFacts = {
  readonly standings: readonly Standing[];
  readonly counters: Counters;
  readonly usage: ProcessUsage;
  readonly pendingMessages: number;
  /** When the fleet file could last be read, milliseconds since 1970; undefined when never. */
  readonly declaredAtMs: number | undefined;
  readonly nowMs: number;
};

const byLevel =
  (levelOf: (standing: Standing) => Level) =>
  (facts: MetricFacts): readonly Sample[] =>
    METRIC_LEVELS.map((level) => [{ level }, facts.standings.filter((each) => levelOf(each) === level).length]);

/** All that `/metrics` of `ashlar watch` says, in its order. */
export const METRICS: readonly Metric<MetricFacts>[] = [
  {
    name: "ashlar_nodes",
    kind: "gauge",
    help: "Nodes by the level of what they run. Evidence that is too old counts as unknown.",
    labels: { level: METRIC_LEVELS },
    samples: byLevel(({ verdict }) => verdict.level),
  },
  {
    name: "ashlar_nodes_next_boot",
    kind: "gauge",
    help: "Nodes by the level of what they boot next.",
    labels: { level: METRIC_LEVELS },
    samples: byLevel(({ verdict }) => verdict.nextBoot?.level ?? "unknown"),
  },
  {
    name: "ashlar_identities",
    kind: "gauge",
    help: "Different identities among the nodes.",
    labels: {},
    samples: one(({ standings }) => new Set(standings.flatMap(({ verdict }) => verdict.identity ?? [])).size),
  },
  {
    name: "ashlar_level_changes_total",
    kind: "counter",
    help: "Changes of a node's level since the start, by the new level.",
    labels: { to: METRIC_LEVELS },
    samples: ({ counters: { changes } }) => METRIC_LEVELS.map((to) => [{ to }, changes[to]]),
  },
  {
    name: "ashlar_webhook_deliveries_total",
    kind: "counter",
    help: "Attempts to deliver a message since the start.",
    labels: { result: ["delivered", "failed"] },
    samples: ({ counters: { webhooks } }) =>
      Object.entries(webhooks).map(([result, count]): Sample => [{ result }, count]),
  },
  {
    name: "ashlar_webhook_pending",
    kind: "gauge",
    help: "Messages that have not been delivered yet.",
    labels: {},
    samples: one(({ pendingMessages }) => pendingMessages),
  },
  {
    name: "ashlar_fleet_file_age_seconds",
    kind: "gauge",
    help: "Since when what nodes are declared to be could not be read again; about 0 when all is well. -1 before the first time.",
    labels: {},
    samples: one(({ declaredAtMs, nowMs }) => (declaredAtMs === undefined ? -1 : (nowMs - declaredAtMs) / 1000)),
  },
  ...commonMetrics(commonOf),
];

function commonOf({ standings, counters, usage, nowMs }: MetricFacts): CommonFacts {
  return {
    counters,
    usage,
    codes: standings.map(({ verdict: { differences, nextBoot } }) =>
      [...differences, ...(nextBoot?.differences ?? [])].map(({ code }) => code),
    ),
    evidenceAges: standings.flatMap(({ provedAtMs }) => (provedAtMs === undefined ? [] : (nowMs - provedAtMs) / 1000)),
  };
}
