/** What both `ashlar watch` and `ashlar operator` say, under the same names and with the same meaning. */
import { DIFFERENCE_CODES, type DifferenceCode, type Level } from "@ashlar/identity";
import { one, type Metric, type Sample } from "./metric.ts";

export const METRIC_LEVELS: readonly Level[] = ["proven", "reported", "mismatch", "unknown"];

/** What this process has asked since it started. */
export type AskCounters = {
  readonly asked: { readonly answered: number; readonly silent: number };
  readonly askedSeconds: number;
};

/** Of this process, as the operating system counts it. */
export type ProcessUsage = {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
};

export type CommonFacts = {
  readonly counters: AskCounters;
  readonly usage: ProcessUsage;
  /** Of each node, in what it runs or boots next. */
  readonly codes: readonly (readonly DifferenceCode[])[];
  /** Seconds; of nodes that have any evidence. */
  readonly evidenceAges: readonly number[];
};

const COMMON_METRICS: readonly Metric<CommonFacts>[] = [
  {
    name: "ashlar_differences",
    kind: "gauge",
    help: "Nodes with a difference of this code, in what they run or boot next. A code that no node has is left out.",
    labels: { code: Object.keys(DIFFERENCE_CODES) },
    samples: ({ codes }) => [...countCodes(codes)].map(([code, count]): Sample => [{ code }, count]),
  },
  {
    name: "ashlar_evidence_age_seconds_max",
    kind: "gauge",
    help: "Age of the oldest evidence that a verdict rests on. Nodes without any are left out.",
    labels: {},
    samples: one(({ evidenceAges }) => evidenceAges.reduce((oldest, age) => Math.max(oldest, age), 0)),
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
    name: "process_cpu_seconds_total",
    kind: "counter",
    help: "Processor time that this program has used, in seconds.",
    labels: {},
    samples: one(({ usage }) => usage.cpuSeconds),
  },
  {
    name: "process_resident_memory_bytes",
    kind: "gauge",
    help: "Memory that this program has now.",
    labels: {},
    samples: one(({ usage }) => usage.residentBytes),
  },
  {
    name: "process_start_time_seconds",
    kind: "gauge",
    help: "When this process was started, seconds since 1970.",
    labels: {},
    samples: one(({ usage }) => usage.startedAt),
  },
];

/** @param commonOf takes what they tell out of what a program knows */
export function commonMetrics<Facts>(commonOf: (facts: Facts) => CommonFacts): readonly Metric<Facts>[] {
  return COMMON_METRICS.map(({ name, kind, help, labels, samples }) => {
    return { name, kind, help, labels, samples: (facts) => samples(commonOf(facts)) };
  });
}

function countCodes(nodes: readonly (readonly DifferenceCode[])[]): ReadonlyMap<DifferenceCode, number> {
  const counts = new Map<DifferenceCode, number>();
  for (const codes of nodes) for (const code of new Set(codes)) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
