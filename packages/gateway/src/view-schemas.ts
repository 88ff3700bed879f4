import { differenceSchema, LEVELS, nodeVerdictSchema } from "@ashlar/identity";
import {
  FLEET_VIEW_SCHEMA,
  NODE_VIEW_SCHEMA,
  ROLLOUTS_SCHEMA,
  type FleetView,
  type NodeView,
  type RolloutsView,
} from "@ashlar/views";
import { z } from "zod";

const level = z.enum(LEVELS);
const head = {
  at: z.iso.datetime().describe("By the server's clock: ages count from here, by the clock of the reader"),
  maxAgeSeconds: z.int().nonnegative().describe("What is older proves nothing any more"),
};
const provedAt = z.iso
  .datetime()
  .nullable()
  .describe("When the question was asked that its evidence answers; null without evidence");
const className = z.string().nullable().describe("The NodeClass, where the source knows one");

const fleetViewSchema: z.ZodType<FleetView> = z.strictObject({
  schema: z.literal(FLEET_VIEW_SCHEMA),
  ...head,
  source: z.strictObject({ kind: z.enum(["lab", "fleet", "evidence", "cluster"]), name: z.string() }),
  asking: z.boolean().describe("Whether nodes are being asked now"),
  problem: z.string().nullable().describe("Why the last round of asking has failed"),
  nodes: z.array(
    z.strictObject({
      name: z.string(),
      level: level.describe("When it was judged: it is worth nothing once provedAt is older than maxAgeSeconds"),
      release: z.string().nullable(),
      identity: z.string().nullable(),
      class: className,
      nextBoot: z.strictObject({ level, release: z.string().nullable() }).nullable(),
      provedAt,
      difference: differenceSchema.nullable().describe("The most telling one, of now or else of its next boot"),
      differences: z.int().nonnegative().describe("How many there are in all"),
    }),
  ),
});

const nodeViewSchema: z.ZodType<NodeView> = z.strictObject({
  schema: z.literal(NODE_VIEW_SCHEMA),
  ...head,
  name: z.string(),
  class: className,
  provedAt,
  verdict: nodeVerdictSchema.describe("As in what `ashlar prove --json` prints"),
  measured: z
    .strictObject({
      pcrs: z.record(z.string(), z.string()),
      bank: z.enum(["sha256", "sha384"]),
      programs: z
        .array(z.strictObject({ digest: z.string(), what: z.string() }))
        .describe("What the firmware has started after its hand-over: Authenticode digests, in their order"),
      usrRootHash: z.string().nullable().describe("As the node says"),
      commandLine: z.string().describe("As the node says"),
      ekSha256: z.string(),
      akName: z.string(),
      enrolledAt: z.string(),
    })
    .nullable()
    .describe("Null where no evidence is at hand"),
  evidence: z
    .array(z.strictObject({ name: z.string(), sizeBytes: z.int(), sha256: z.string() }))
    .describe("Files at /v1/nodes/NAME/evidence/FILE"),
});

const words = z.string().nullable();

const rolloutNodeSchema = z.strictObject({
  name: z.string(),
  state: z.string().describe("As in the Rollout's status: docs/reference/custom-resources.md"),
  since: z.string().describe("Since when it is in this state"),
  message: words.describe("Why it waits, or how it has ended"),
  from: words.describe("The release that it was proven to run when its turn came"),
  drains: z.int().nonnegative().describe("How many drains did not end"),
});

const rolloutsViewSchema: z.ZodType<RolloutsView> = z.strictObject({
  schema: z.literal(ROLLOUTS_SCHEMA),
  at: head.at,
  problem: words.describe("Why they cannot be read now: then they are as they were last"),
  rollouts: z.array(
    z.strictObject({
      name: z.string(),
      class: words,
      release: words,
      phase: z.string(),
      isCurrent: z.boolean().describe("Whether the operator has looked at it since it was changed"),
      isPaused: z.boolean(),
      isAborted: z.boolean(),
      isDeleting: z.boolean(),
      attempt: z.int().nullable(),
      wave: words.describe("The wave that goes on"),
      message: words.describe("What it waits for"),
      halt: z.strictObject({ node: z.string(), message: z.string(), since: z.string() }).nullable(),
      createdAt: z.string(),
      total: z.int().nonnegative().describe("How many nodes take part"),
      done: z.int().nonnegative().describe("How many of them are proven at the release"),
      waves: z
        .array(
          z.strictObject({
            name: z.string(),
            isApproved: z.boolean(),
            total: z.int().nonnegative(),
            done: z.int().nonnegative(),
            nodes: z.array(rolloutNodeSchema),
          }),
        )
        .describe("In their order; those without nodes are left out"),
    }),
  ),
});

/** JSON Schemas of what `ashlar console` serves, by name. */
export function viewJsonSchemas(): readonly (readonly [name: string, schema: object])[] {
  return [
    [
      "fleet-view-v1",
      { title: "What `ashlar console` answers to GET /v1/fleet, version 1", ...z.toJSONSchema(fleetViewSchema) },
    ],
    [
      "node-view-v1",
      { title: "What `ashlar console` answers to GET /v1/nodes/NAME, version 1", ...z.toJSONSchema(nodeViewSchema) },
    ],
    [
      "rollouts-v1",
      {
        title:
          "What `ashlar console` answers to GET /v1/rollouts, and `ashlar rollout status --json` prints, version 1",
        ...z.toJSONSchema(rolloutsViewSchema),
      },
    ],
  ];
}
