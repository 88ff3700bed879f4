/** deploy/monitoring asks for metrics, labels and values that there are. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { OPERATOR_METRICS } from "@ashlar/operator/metrics";
import type { LabelValues } from "@ashlar/watch/metric";
import { METRICS } from "@ashlar/watch/metrics";
import { parse } from "yaml";
import { z } from "zod";

const RULES = "deploy/monitoring/prometheus-rules.yaml";
const DASHBOARD = "deploy/monitoring/grafana-dashboard.json";
/** Those that Prometheus itself gives each series of a job. */
const OWN_LABELS: ReadonlySet<string> = new Set(["job", "instance"]);

const known = new Map<string, Map<string, LabelValues>>();
for (const { name, labels } of [...METRICS, ...OPERATOR_METRICS]) {
  const all = known.get(name) ?? new Map<string, LabelValues>();
  for (const [label, values] of Object.entries(labels)) all.set(label, values);
  known.set(name, all);
}

/** Fails when an expression names what is not there. */
function checkExpression(expression: string): void {
  const names = [...expression.matchAll(/\b(?:ashlar|process)_[a-z_]+/gu)].map(([name]) => name);
  assert.ok(names.length > 0, `a metric in ${expression}`);
  for (const name of names) assert.ok(known.has(name), `${name} in ${expression}`);
  for (const [, name = "", matchers = ""] of expression.matchAll(/\b((?:ashlar|process)_[a-z_]+)\{([^}]*)\}/gu)) {
    for (const [, label = "", operator = "", value = ""] of matchers.matchAll(/([a-z]+)(=~|!~|!=|=)"([^"]*)"/gu)) {
      if (OWN_LABELS.has(label)) continue;
      const values = known.get(name)?.get(label);
      assert.ok(values !== undefined, `the label ${label} of ${name} in ${expression}`);
      const wanted = operator.endsWith("~") ? value.split("|") : [value];
      for (const each of wanted)
        assert.ok(values === "NodeClass" || values.includes(each), `${label}="${each}" of ${name}`);
    }
  }
  const labels = new Set(names.flatMap((name) => Array.from(known.get(name)?.keys() ?? [])));
  for (const [, list = ""] of expression.matchAll(/\b(?:by|on) \(([^)]*)\)/gu)) {
    for (const label of list.split(",").map((each) => each.trim())) {
      assert.ok(OWN_LABELS.has(label) || labels.has(label), `the label ${label} in ${expression}`);
    }
  }
}

test("what the check of expressions refuses", () => {
  for (const wrong of [
    "ashlar_node > 0",
    'ashlar_nodes{level="good"} > 0',
    'ashlar_nodes{level=~"proven|good"} > 0',
    'ashlar_nodes{node="a"} > 0',
    "sum by (zone) (ashlar_nodes)",
    "up == 0",
  ]) {
    assert.throws(() => checkExpression(wrong), assert.AssertionError, wrong);
  }
});

const rulesSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Ashlar[A-Za-z]+$/u),
          expr: z.string(),
          for: z
            .string()
            .regex(/^[0-9]+[mh]$/u)
            .optional(),
          labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
});

test("each rule for Prometheus asks for what there is, and has a name of its own", () => {
  const { groups } = rulesSchema.parse(parse(readFileSync(RULES, "utf8")));
  const rules = groups.flatMap((group) => group.rules);
  for (const { expr } of rules) checkExpression(expr);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  const used = rules.map(({ expr }) => expr).join(" ");
  for (const name of ["ashlar_nodes", "ashlar_operator_leading", "ashlar_rollouts", "ashlar_class_quarantine"]) {
    assert.ok(used.includes(name), name);
  }
});

const dashboardSchema = z.looseObject({
  uid: z.literal("ashlar"),
  templating: z.object({ list: z.array(z.looseObject({ name: z.string() })) }),
  panels: z.array(
    z.looseObject({
      id: z.int(),
      title: z.string(),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      targets: z.array(z.looseObject({ refId: z.string(), expr: z.string() })).min(1),
    }),
  ),
});

test("each panel of the dashboard asks for what there is, and lies on no other", () => {
  const text = readFileSync(DASHBOARD, "utf8");
  const { panels, templating } = dashboardSchema.parse(JSON.parse(text));
  const variables = new Set(templating.list.map(({ name }) => name));
  for (const [, name = ""] of text.matchAll(/\$\{?([a-z]+)\}?/gu)) assert.ok(variables.has(name), `$${name}`);
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = new Set<string>();
  for (const { title, gridPos, targets } of panels) {
    for (const { expr } of targets) checkExpression(expr);
    const { x, y, w, h } = gridPos;
    assert.ok(x >= 0 && x + w <= 24, `${title} is as wide as the dashboard`);
    for (let index = 0; index < w * h; index += 1) {
      const cell = `${x + (index % w)} ${y + Math.floor(index / w)}`;
      assert.ok(!cells.has(cell), `${title} lies on another panel`);
      cells.add(cell);
    }
  }
});
