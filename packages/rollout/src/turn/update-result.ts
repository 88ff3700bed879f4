import type { ReleaseFailure, UpdateProgress } from "@ashlar/protocol";
import { z } from "zod";
import { STOP_CODES, type End, type StopCode } from "./turn.ts";

export const UPDATE_RESULT_SCHEMA = "ashlar.update-result/v1";

/** What `ashlar update --json` and `ashlar rollback --json` print. */
export type UpdateResult = {
  readonly schema: typeof UPDATE_RESULT_SCHEMA;
  readonly action: "update" | "rollback";
  /** The extension that was updated, so that all versions are its; null for releases. */
  readonly component: string | null;
  /** `stopped` when any node is. */
  readonly outcome: "complete" | "stopped";
  /** In the order of their turns. */
  readonly nodes: readonly NodeResult[];
};

export type NodeResult = {
  readonly name: string;
  /**
   * - `updated`: it runs the target, proven.
   * - `already`: it did so before.
   * - `staged`: it boots the target next, proven.
   * - `stopped`: see `reason`.
   * - `untouched`: its turn did not come.
   */
  readonly outcome: (typeof OUTCOMES)[number];
  /** The version that it ran at first; null when it did not answer. */
  readonly from: string | null;
  readonly to: string;
  /** The version that it runs now, when that is proven. */
  readonly proven: string | null;
  readonly seconds: number;
  /** What staging took; null when nothing was staged. */
  readonly bytes: { readonly total: number; readonly copied: number; readonly fetched: number } | null;
  readonly reason: { readonly code: StopCode; readonly message: string; readonly hint?: string | undefined } | null;
  /** The node's own record of why the release was given up there. */
  readonly failure: ReleaseFailure | null;
  /** Of a member of a cluster; null for others, and where its turn did not come. */
  readonly cluster: ClusterResult | null;
};

/** What has become of a node's pods, and of its Node. */
export type ClusterResult = {
  readonly evicted: number;
  /** What did not go, when it could not be drained. */
  readonly blocked: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly budgets: readonly string[];
    readonly message: string;
  }[];
  /** Null when the API server did not say. */
  readonly cordoned: boolean | null;
  /** Why it is still cordoned. */
  readonly note: string | null;
};

const OUTCOMES = ["updated", "already", "staged", "stopped", "untouched"] as const;

const bytes = z.int().nonnegative();

const nodeResultSchema: z.ZodType<NodeResult> = z.strictObject({
  name: z.string(),
  outcome: z
    .enum(OUTCOMES)
    .describe(
      "updated: runs the target, proven; already: did so before; staged: boots it next, proven; " +
        "stopped: see reason; untouched: its turn did not come",
    ),
  from: z.string().nullable().describe("The version that it ran at first; null when it did not answer"),
  to: z.string().describe("The version that was wanted"),
  proven: z.string().nullable().describe("The version that it runs now, when that is proven"),
  seconds: z.number().nonnegative(),
  bytes: z
    .strictObject({
      total: bytes.describe("Of /usr and its hash tree, or of the extension's image"),
      copied: bytes.describe("Found on the node"),
      fetched: bytes.describe("Received from the repository"),
    })
    .nullable()
    .describe("What staging took; null when nothing was staged"),
  reason: z
    .strictObject({ code: z.enum(STOP_CODES), message: z.string(), hint: z.string().optional() })
    .nullable()
    .describe("Why it stopped"),
  failure: z
    .strictObject({
      version: z.string(),
      bootId: z.string().nullable(),
      at: z.string(),
      check: z.string(),
      message: z.string(),
    })
    .nullable()
    .describe("The node's own record of why the release was given up there"),
  cluster: z
    .strictObject({
      evicted: z.int().nonnegative().describe("Pods whose eviction was accepted"),
      blocked: z
        .array(
          z.strictObject({
            namespace: z.string(),
            name: z.string(),
            budgets: z.array(z.string()).describe("PodDisruptionBudgets that match it"),
            message: z.string(),
          }),
        )
        .describe("Pods that did not go, when it could not be drained"),
      cordoned: z.boolean().nullable().describe("Null when the API server did not say"),
      note: z.string().nullable().describe("Why it is still cordoned"),
    })
    .nullable()
    .describe("Of a member of a cluster; null for others, and where its turn did not come"),
});

const updateResultSchema: z.ZodType<UpdateResult> = z.strictObject({
  schema: z.literal(UPDATE_RESULT_SCHEMA),
  action: z.enum(["update", "rollback"]),
  component: z.string().nullable().describe("The extension that was updated: all versions are its; null for releases"),
  outcome: z.enum(["complete", "stopped"]).describe("stopped when any node is"),
  nodes: z.array(nodeResultSchema).describe("In the order of their turns"),
});

/** The JSON Schema of {@link UpdateResult}. Its version changes when a member is removed or changes its meaning. */
export function updateResultJsonSchema(): object {
  return {
    $id: "urn:ashlar:update-result:v1",
    title: "What `ashlar update --json` and `ashlar rollback --json` print, version 1",
    ...z.toJSONSchema(updateResultSchema),
  };
}

/** So that its members can be asked for. */
const NO_REASON: { readonly failure?: never } = {};

/** How a node's turn has ended. */
export function nodeResult(
  name: string,
  target: string,
  turn: {
    readonly end: End;
    readonly from: string | undefined;
    readonly proven: string | undefined;
    readonly progress: UpdateProgress | undefined;
    readonly cluster?: ClusterResult;
  },
  durationMs: number,
): NodeResult {
  const { end, from, proven, progress } = turn;
  const { failure = null, ...reason } = end.kind === "stop" ? end.reason : NO_REASON;
  return {
    ...untouched(name, target),
    outcome: end.kind === "stop" ? "stopped" : end.how,
    from: from ?? null,
    proven: proven ?? null,
    seconds: Math.round(durationMs / 100) / 10,
    bytes:
      progress === undefined
        ? null
        : { total: progress.totalBytes, copied: progress.copiedBytes, fetched: progress.fetchedBytes },
    reason: "code" in reason ? reason : null,
    failure,
    cluster: turn.cluster ?? null,
  };
}

/** Its turn did not come. */
export function untouched(name: string, target: string): NodeResult {
  const nothing = { from: null, proven: null, seconds: 0, bytes: null, reason: null, failure: null, cluster: null };
  return { name, outcome: "untouched", to: target, ...nothing };
}
