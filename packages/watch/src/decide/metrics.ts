import { DIFFERENCE_CODES, type DifferenceCode, type Level } from "@ashlar/identity";
import type { Standing } from "./standing.ts";

const LEVELS = ["proven", "reported", "mismatch", "unknown"] as const satisfies readonly Level[];

/** What has happened since this process started. */
export type Counters = {
  readonly asked: { readonly answered: number; readonly silent: number };
  readonly askedSeconds: number;
  readonly changes: Readonly<Record<Level, number>>;
  readonly webhooks: { readonly delivered: number; readonly failed: number };
};

export type MetricFacts = {
  readonly standings: readonly Standing[];
  readonly counters: Counters;
  readonly pendingMessages: number;
  /** When the fleet file could last be read, milliseconds since 1970; undefined when never. */
  readonly declaredAtMs: number | undefined;
  readonly nowMs: number;
};

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

export type Metric = {
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly help: string;
  /** The name of its label, and all values that there can be: no series grows with the fleet. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly samples: (facts: MetricFacts) => readonly Sample[];
};

const byLevel =
  (levelOf: (standing: Standing) => Level) =>
  (facts: MetricFacts): readonly Sample[] =>
    LEVELS.map((level) => [{ level }, facts.standings.filter((each) => levelOf(each) === level).length]);
const one =
  (value: (facts: MetricFacts) => number) =>
  (facts: MetricFacts): readonly Sample[] => [[{}, value(facts)]];

/** All that `/metrics` says, in its order. */
export const METRICS: readonly Metric[] = [
  {
    name: "ashlar_nodes",
    kind: "gauge",
    help: "Nodes by the level of what they run. Evidence that is too old counts as unknown.",
    labels: { level: LEVELS },
    samples: byLevel(({ verdict }) => verdict.level),
  },
  {
    name: "ashlar_nodes_next_boot",
    kind: "gauge",
    help: "Nodes by the level of what they boot next.",
    labels: { level: LEVELS },
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
    name: "ashlar_differences",
    kind: "gauge",
    help: "Nodes with a difference of this code, in what they run or boot next. A code that no node has is left out.",
    labels: { code: Object.keys(DIFFERENCE_CODES) },
    samples: ({ standings }) => [...countCodes(standings)].map(([code, count]): Sample => [{ code }, count]),
  },
  {
    name: "ashlar_evidence_age_seconds_max",
    kind: "gauge",
    help: "Age of the oldest evidence that a verdict rests on. Nodes without any are left out.",
    labels: {},
    samples: one(({ standings, nowMs }) =>
      standings.reduce((oldest, { provedAtMs = nowMs }) => Math.max(oldest, (nowMs - provedAtMs) / 1000), 0),
    ),
  },
  {
    name: "ashlar_nodes_asked_total",
    kind: "counter",
    help: "Questions to nodes since the start, by whether there was an answer.",
    labels: { result: ["answered", "silent"] },
    samples: ({ counters: { asked } }) => Object.entries(asked).map(([result, count]): Sample => [{ result }, count]),
  },
  {
    name: "ashlar_nodes_asked_seconds_total",
    kind: "counter",
    help: "Time that these questions took, from the connection to the verdict.",
    labels: {},
    samples: one(({ counters }) => counters.askedSeconds),
  },
  {
    name: "ashlar_level_changes_total",
    kind: "counter",
    help: "Changes of a node's level since the start, by the new level.",
    labels: { to: LEVELS },
    samples: ({ counters: { changes } }) => LEVELS.map((to) => [{ to }, changes[to]]),
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
];

/** The text format of Prometheus, version 0.0.4. */
export function metricsText(facts: MetricFacts): string {
  const lines = METRICS.flatMap(({ name, kind, help, samples }) => {
    const values = samples(facts).map(([labels, value]) => `${name}${labelText(labels)} ${value}`);
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`].concat(values);
  });
  return `${lines.join("\n")}\n`;
}

/** Values are from fixed lists, in which nothing needs to be escaped. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function countCodes(standings: readonly Standing[]): ReadonlyMap<DifferenceCode, number> {
  const counts = new Map<DifferenceCode, number>();
  for (const { verdict } of standings) {
    const all = [...verdict.differences, ...(verdict.nextBoot?.differences ?? [])];
    for (const code of new Set(all.map((each) => each.code))) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return counts;
}
