/** What any program of ours that has metrics says them with. */

/** Values of one series by the values of its labels. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** All values that a label can have; or whose names they are, of which there are as many as people have written. */
export type LabelValues = readonly string[] | "NodeClass";

export type Metric<Facts> = {
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly help: string;
  /** By the names of its labels: no series grows with the fleet. */
  readonly labels: Readonly<Record<string, LabelValues>>;
  readonly samples: (facts: Facts) => readonly Sample[];
};

/** Of a metric without labels. */
export function one<Facts>(value: (facts: Facts) => number): (facts: Facts) => readonly Sample[] {
  return (facts) => [[{}, value(facts)]];
}

/** The text format of Prometheus, version 0.0.4. */
export function metricsText<Facts>(metrics: readonly Metric<Facts>[], facts: Facts): string {
  const lines = metrics.flatMap(({ name, kind, help, samples }) => {
    const values = samples(facts).map(([labels, value]) => `${name}${labelText(labels)} ${value}`);
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`].concat(values);
  });
  return `${lines.join("\n")}\n`;
}

/** Values are from fixed lists, or names of objects (RFC 1123): nothing in them needs to be escaped. */
function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
