import { z } from "zod";
import { keyedBy, objectName, rules } from "./parts.ts";

/** Something outside that has to be well before nodes are drained. One of `prometheus`, `webhook` and `job`. */
export type RolloutGate = {
  readonly name: string;
  readonly before: "wave" | "node";
  readonly prometheus?: PrometheusGate;
  readonly webhook?: WebhookGate;
  readonly job?: JobGate;
};

export type PrometheusGate = {
  readonly server: string;
  readonly query: string;
  readonly is: Comparison;
  /** A decimal number. */
  readonly value: string;
  readonly forSeconds: number;
  readonly timeoutSeconds: number;
};

export type WebhookGate = { readonly server: string; readonly timeoutSeconds: number };

export type JobGate = { readonly namespace: string; readonly cronJob: string; readonly timeoutSeconds: number };

export const COMPARISONS = ["<", "<=", ">", ">=", "==", "!="] as const;
export type Comparison = (typeof COMPARISONS)[number];

const MAX_GATES = 16;
const MAX_QUERY_CHARACTERS = 4096;
const DAY = 86_400;

const ONE_QUESTION = {
  rule: "[has(self.prometheus), has(self.webhook), has(self.job)].filter(each, each).size() == 1",
  message: "say what a gate asks in exactly one of prometheus, webhook and job",
};
const JOBS_BEFORE_WAVES = {
  rule: "!has(self.job) || self.before == 'wave'",
  message: "a job runs before each wave: leave `before` out, or say wave",
};

const server: z.ZodType<string> = objectName.describe(
  "A Secret of the operator's namespace with the server's `url`, and, where it is asked for, `token` (sent as a bearer) and `ca.crt`, whose certificates it has to lead to",
);
const timeoutSeconds: z.ZodType<number> = z.int().min(1).max(60).default(10).describe("For one answer");

export const rolloutGatesSchema: z.ZodType<readonly RolloutGate[]> = z
  .array(
    z
      .object({
        name: objectName.max(63),
        before: z
          .enum(["wave", "node"])
          .default("wave")
          .describe(
            "`wave`: it has to be open when the first node of each wave is drained; `node`: when each node is, after those before have come to their ends. Both once more at the end",
          ),
        prometheus: z
          .object({
            server,
            query: z.string().min(1).max(MAX_QUERY_CHARACTERS).describe("An instant query: a scalar, or a vector"),
            is: z.enum(COMPARISONS).describe("How each value has to compare with `value`"),
            value: z
              .string()
              .max(32)
              .regex(/^-?[0-9]+(\.[0-9]+)?$/u),
            forSeconds: z
              .int()
              .min(0)
              .max(DAY)
              .default(0)
              .describe("For how long it has to be so without a break, from when the gate is asked for"),
            timeoutSeconds,
          })
          .exactOptional()
          .describe("What Prometheus measures. No series is no value, and closes it"),
        webhook: z
          .object({ server, timeoutSeconds })
          .exactOptional()
          .describe(
            "It is sent a POST with JSON that says what is about to go on, and opens it with a status from 200 to 299",
          ),
        job: z
          .object({
            namespace: objectName.max(63),
            cronJob: objectName.max(52).describe("Whose template the Job is made from; it can be suspended"),
            timeoutSeconds: z.int().min(1).max(DAY).default(3600).describe("Until the Job has to have succeeded"),
          })
          .exactOptional()
          .describe("A Job that has to succeed before each wave, and at the end"),
      })
      .meta(rules(ONE_QUESTION, JOBS_BEFORE_WAVES)),
  )
  .max(MAX_GATES)
  .default([])
  .describe("What has to be well outside before nodes are drained. What cannot be read is closed")
  .meta(keyedBy("name"));
