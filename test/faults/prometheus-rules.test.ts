/** The rules of deploy/monitoring with Prometheus' own promtool: it takes them, and they fire when they should and not else. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "@ashlar/host";
import { OPERATOR_METRICS, type OperatorFacts } from "@ashlar/operator/metrics";
import { metricsText } from "@ashlar/watch/metric";
import { parse } from "yaml";
import { goProgram } from "../e2e/go-program.ts";
import { ROOT } from "../e2e/world.ts";

const RULES = join(ROOT, "deploy/monitoring/prometheus-rules.yaml");
const MODULE = "github.com/prometheus/prometheus";
const VERSION = "v0.316.0";
let promtool: string;
let directory: string;

before(
  async () => {
    directory = await mkdtemp(join(tmpdir(), "ashlar-rules-"));
    promtool = await goProgram({
      name: "promtool",
      module: MODULE,
      version: VERSION,
      package: `${MODULE}/cmd/promtool`,
    });
  },
  { timeout: 60 * 60_000 },
);

after(async () => await rm(directory, { recursive: true, force: true }));

type Case = {
  readonly alert: string;
  /** Series by their values each minute, as promtool writes them. */
  readonly series: Readonly<Record<string, string>>;
  /** When it is asked, and with which labels it fires then; undefined: it does not. */
  readonly at: readonly (readonly [time: string, labels: Readonly<Record<string, string>> | undefined])[];
};

const JOB = 'job="ashlar",instance="a"';
const CLASS = { job: "ashlar", class: "worker" };
const CASES: readonly Case[] = [
  {
    alert: "AshlarNodeMismatch",
    series: { [`ashlar_nodes{${JOB},class="worker",level="mismatch"}`]: "0x5 1x60" },
    at: [
      ["6m", undefined],
      ["15m", { ...CLASS, severity: "critical" }],
    ],
  },
  {
    alert: "AshlarNodeUnproven",
    series: {
      [`ashlar_nodes{${JOB},class="worker",level="unknown"}`]: "1x10 0x200",
      [`ashlar_nodes{${JOB},class="other",level="unknown"}`]: "1x200",
    },
    at: [
      ["30m", undefined],
      ["90m", { job: "ashlar", class: "other", severity: "warning" }],
    ],
  },
  {
    alert: "AshlarVerifierStale",
    series: { [`ashlar_operator_last_question_timestamp_seconds{${JOB}}`]: "60x200" },
    at: [
      ["50m", undefined],
      ["70m", { job: "ashlar", severity: "critical" }],
    ],
  },
  {
    alert: "AshlarNoVerifier",
    series: {
      'ashlar_operator_leading{job="ashlar",instance="a"}': "1x10 0x60",
      'ashlar_operator_leading{job="ashlar",instance="b"}': "0x15 1x10 0x60",
    },
    at: [
      ["20m", undefined],
      ["40m", { job: "ashlar", severity: "critical" }],
    ],
  },
  {
    alert: "AshlarRolloutHalted",
    series: { [`ashlar_rollouts{${JOB},phase="Halted"}`]: "0x5 1x10" },
    at: [
      ["4m", undefined],
      ["8m", { job: "ashlar", instance: "a", phase: "Halted", severity: "critical" }],
    ],
  },
  {
    alert: "AshlarRolloutStuck",
    series: {
      [`ashlar_rollout_changed_timestamp_seconds{${JOB},class="worker"}`]: "60x300",
      [`ashlar_rollout_nodes{${JOB},class="worker",state="Draining"}`]: "1x200 0x100",
      [`ashlar_rollout_changed_timestamp_seconds{${JOB},class="idle"}`]: "60x300",
      [`ashlar_rollout_nodes{${JOB},class="idle",state="Waiting"}`]: "4x300",
    },
    at: [
      ["100m", undefined],
      ["150m", { ...CLASS, instance: "a", severity: "warning" }],
      ["250m", undefined],
    ],
  },
  {
    alert: "AshlarQuarantineLimited",
    series: {
      [`ashlar_class_quarantine{${JOB},class="worker",reason="Enforced"}`]: "1x20",
      [`ashlar_class_quarantine{${JOB},class="other",reason="LimitReached"}`]: "1x20",
    },
    at: [["10m", { job: "ashlar", instance: "a", class: "other", reason: "LimitReached", severity: "critical" }]],
  },
];

test("promtool takes the rules", async () => {
  const { stdout } = await run(promtool, ["check", "rules", "--lint=all", "--lint-fatal", RULES]);
  assert.match(stdout.toString("utf8"), /SUCCESS: [0-9]+ rules found/u);
});

test("each fires when it should, and not before", async () => {
  const tests = CASES.map(({ alert, series, at }) => ({
    interval: "1m",
    name: alert,
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: at.map(([time, labels]) => ({
      eval_time: time,
      alertname: alert,
      exp_alerts: labels === undefined ? [] : [{ exp_labels: labels }],
    })),
  }));
  const path = join(directory, "tests.yaml");
  // What is said to people is not compared.
  const rules = join(directory, "rules.yaml");
  const text = await readFile(RULES, "utf8");
  await writeFile(
    rules,
    JSON.stringify(parse(text), (name, value: unknown) => (name === "annotations" ? {} : value)),
  );
  await writeFile(path, JSON.stringify({ rule_files: [rules], tests }));
  const { status, stdout, stderr } = await run(promtool, ["test", "rules", path], { acceptStatus: [0, 1] });
  assert.equal(status, 0, `${stdout.toString("utf8")}${stderr}`);
});

test("promtool takes what the operator says of itself", async () => {
  const facts: OperatorFacts = {
    isLeading: true,
    counters: { asked: { answered: 1, silent: 0 }, askedSeconds: 1 },
    usage: { cpuSeconds: 1, residentBytes: 1, startedAt: 1 },
    lastAskedMs: 1,
    nodes: new Map(),
    proofs: new Map(),
    classes: [],
    rollouts: [],
    held: new Map(),
    nowMs: 1,
  };
  const { stderr } = await run(promtool, ["check", "metrics"], { input: metricsText(OPERATOR_METRICS, facts) });
  assert.equal(stderr, "");
});
