/**
 * With Debian's Prometheus: its promtool takes the rules of deploy/monitoring, which fire when they should and not else, and what the server
 * answers is what gates of Rollouts read.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "@ashlar/host";
import type { Comparison } from "@ashlar/kube";
import { askServer } from "@ashlar/operator/ask-server";
import { judgeQuery } from "@ashlar/operator/gate-answers";
import { OPERATOR_METRICS, type OperatorFacts } from "@ashlar/operator/metrics";
import { metricsText } from "@ashlar/watch/metric";
import { parse } from "yaml";
import { debianPackage } from "../e2e/debian-program.ts";
import { ROOT } from "../e2e/world.ts";
import { until } from "./operator-process.ts";

const RULES = join(ROOT, "deploy/monitoring/prometheus-rules.yaml");
let programs: string;
let promtool: string;
let directory: string;

before(
  async () => {
    directory = await mkdtemp(join(tmpdir(), "ashlar-prometheus-"));
    programs = join(await debianPackage("prometheus"), "usr/bin");
    promtool = join(programs, "promtool");
  },
  { timeout: 10 * 60_000 },
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
    alert: "AshlarReleasesExpire",
    series: { [`ashlar_class_releases_expire_timestamp_seconds{${JOB},class="worker"}`]: "100000x300" },
    at: [
      ["200m", undefined],
      ["250m", { ...CLASS, severity: "warning" }],
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
    expires: new Map(),
    rollouts: [],
    held: new Map(),
    nowMs: 1,
  };
  const { stderr } = await run(promtool, ["check", "metrics"], { input: metricsText(OPERATOR_METRICS, facts) });
  assert.equal(stderr, "");
});

test("what the server itself answers, as a gate reads it", async () => {
  const port = 27_690;
  const config = join(directory, "prometheus.yaml");
  await writeFile(config, "{}");
  const options = [`--config.file=${config}`, `--storage.tsdb.path=${join(directory, "data")}`, "--log.level=error"];
  const server = spawn(join(programs, "prometheus"), [...options, `--web.listen-address=127.0.0.1:${port}`], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const { signal } = new AbortController();
  const url = new URL(`http://127.0.0.1:${port}`);
  const ask = async (query: string, is: Comparison, value: string): Promise<string> => {
    const body = new URLSearchParams({ query, timeout: "10s" }).toString();
    const asked = { path: "/api/v1/query", contentType: "application/x-www-form-urlencoded", body };
    const verdict = judgeQuery(
      await askServer({ url, token: undefined, ca: undefined }, asked, 10_000, signal),
      is,
      value,
    );
    return verdict.isOpen ? "open" : verdict.message;
  };
  try {
    await until("Prometheus is ready", async () => {
      const response = await fetch(new URL("/-/ready", url)).catch(() => undefined);
      return response?.status === 200 ? true : undefined;
    });
    assert.equal(await ask("vector(0.25)", "<", "0.5"), "open");
    assert.equal(
      await ask('vector(3) or label_replace(vector(0.1), "a", "b", "", "")', "<", "0.5"),
      "expected < 0.5, found 3 in one of 2 series",
    );
    assert.equal(await ask("2", ">=", "2"), "open");
    assert.equal(await ask("vector(0) / 0", "<", "1"), "expected < 1, found NaN");
    assert.equal(await ask("-vector(1) / 0", "<", "1"), "open");
    assert.equal(await ask("sum(nothing)", "<", "1"), "the query gives no series");
    assert.match(await ask("sum(", "<", "1"), /^Prometheus answers: .*parse error/u);
    assert.equal(await ask("up[5m]", "<", "1"), "expected a scalar or a vector, found matrix");
  } finally {
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    await ended;
  }
});
