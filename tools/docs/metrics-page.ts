import { METRICS } from "@ashlar/watch/metrics";

/** What `/metrics` of `ashlar watch` says. */
export function metricsPage(): string {
  const rows = METRICS.map(({ name, kind, labels, help }) => {
    const values = Object.entries(labels).map(
      ([label, all]) => `${label}: ${all.length > MAX_LISTED ? codes : list(all)}`,
    );
    return `| \`${name}\` | ${kind} | ${values.join("; ") || "-"} | ${help} |`;
  });
  return `# Metrics of ashlar watch

\`GET /metrics\` answers in the text format of Prometheus, version 0.0.4. Every label has a fixed list of values: no series grows with the
fleet. Which nodes are meant is in \`/v1/fleet\`. Counters begin anew with the process.

| metric | kind | labels | meaning |
|---|---|---|---|
${rows.join("\n")}
`;
}

const MAX_LISTED = 8;
const codes = "a [code of differences](differences.md)";

function list(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(", ");
}
