import { OPERATOR_METRICS } from "@ashlar/operator/metrics";
import type { LabelValues, Metric } from "@ashlar/watch/metric";
import { METRICS } from "@ashlar/watch/metrics";

/** What `/metrics` of `ashlar watch` and of `ashlar operator` says. */
export function metricsPage(): string {
  return `# Metrics

\`GET /metrics\` of \`ashlar watch\` and of \`ashlar operator --listen\` answers in the text format of Prometheus, version 0.0.4. Every label has a fixed list
of values, or the names of NodeClasses: no series grows with the fleet. Which nodes are meant is in \`/v1/fleet\`, and in NodeProofs. Counters begin anew
with the process. Rules for alerts, and a dashboard for Grafana: [deploy/monitoring](../../deploy/monitoring/prometheus-rules.yaml).

## ashlar watch

${tableOf(METRICS)}

## ashlar operator

${tableOf(OPERATOR_METRICS)}
`;
}

function tableOf<Facts>(metrics: readonly Metric<Facts>[]): string {
  const rows = metrics.map(({ name, kind, labels, help }) => {
    const values = Object.entries(labels).map(([label, all]) => `${label}: ${list(all)}`);
    return `| \`${name}\` | ${kind} | ${values.join("; ") || "-"} | ${help} |`;
  });
  return ["| metric | kind | labels | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

const MAX_LISTED = 16;

function list(values: LabelValues): string {
  if (values === "NodeClass") return "name of a NodeClass";
  if (values.length > MAX_LISTED) return "a [code of differences](differences.md)";
  return values.map((value) => `\`${value}\``).join(", ");
}
