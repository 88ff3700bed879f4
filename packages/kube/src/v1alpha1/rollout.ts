import { z } from "zod";
import { conditions, keyedBy, objectName, releaseVersion, rules, timestamp, type Condition } from "./parts.ts";

/** What is to be rolled to whom, and in which order. */
export type RolloutSpec = {
  readonly class: string;
  readonly release: string;
  readonly concurrency: number;
  readonly canary?: { readonly nodes: number; readonly soakSeconds: number };
  readonly waves: readonly { readonly name: string; readonly selector: Readonly<Record<string, string>> }[];
  readonly approval: "none" | "each-wave";
  readonly approvedWaves: readonly string[];
  readonly paused: boolean;
};

export type RolloutStatus = {
  readonly observedGeneration?: number;
  readonly phase?: (typeof PHASES)[number];
  readonly wave?: string;
  readonly nodes?: readonly {
    readonly name: string;
    readonly state: string;
    readonly since: string;
    readonly message?: string;
  }[];
  readonly conditions?: readonly Condition[];
};

const PHASES = ["Pending", "Rolling", "Waiting", "Halted", "Done"] as const;
const MAX_WAVES = 32;
const MAX_NODES = 5000;
const DAY = 86_400;

const SAME = (member: string): { readonly rule: string; readonly message: string } => ({
  rule: "self == oldSelf",
  message: `${member} does not change: pause this Rollout and make another one`,
});
const KNOWN_WAVES = {
  rule: "self.approvedWaves.all(name, self.waves.exists(wave, wave.name == name))",
  message: "approvedWaves has to name waves of this Rollout",
};

const specSchema: z.ZodType<RolloutSpec> = z
  .object({
    class: objectName.describe("The NodeClass whose nodes are updated").meta(rules(SAME("class"))),
    release: releaseVersion.describe("The release that they go to").meta(rules(SAME("release"))),
    concurrency: z.int().min(1).max(1000).default(1).describe("How many nodes may be away at once"),
    canary: z
      .object({
        nodes: z.int().min(1).max(100).describe("How many nodes go first"),
        soakSeconds: z
          .int()
          .min(0)
          .max(30 * DAY)
          .describe("For how long they have to stay proven before the others go"),
      })
      .exactOptional()
      .describe("Who tries it out"),
    waves: z
      .array(
        z.object({
          name: objectName.max(63),
          selector: z.record(z.string(), z.string().max(63)).describe("Labels of its nodes").meta({ maxProperties: 8 }),
        }),
      )
      .max(MAX_WAVES)
      .default([])
      .describe("Groups of nodes in their order; nodes of no group go last")
      .meta(keyedBy("name")),
    approval: z.enum(["none", "each-wave"]).default("none").describe("Whether somebody has to approve each wave"),
    approvedWaves: z.array(objectName.max(63)).max(MAX_WAVES).default([]).describe("Those that may begin"),
    paused: z.boolean().default(false).describe("No further node is begun"),
  })
  .meta(rules(KNOWN_WAVES));

const statusSchema: z.ZodType<RolloutStatus> = z.object({
  observedGeneration: z.int().min(0).exactOptional(),
  phase: z.enum(PHASES).exactOptional(),
  wave: z.string().max(63).exactOptional().describe("The wave that is going on"),
  nodes: z
    .array(
      z.object({
        name: objectName,
        state: z.string().max(64),
        since: timestamp,
        message: z.string().max(1024).exactOptional().describe("Why it waits"),
      }),
    )
    .max(MAX_NODES)
    .exactOptional()
    .describe("How far each node is")
    .meta(keyedBy("name")),
  conditions: conditions.exactOptional(),
});

export const rolloutSchema: z.ZodType<{ readonly spec: RolloutSpec; readonly status?: RolloutStatus }> = z
  .object({ spec: specSchema, status: statusSchema.exactOptional() })
  .describe(
    "What is rolled to whom, in which order. **No program carries it out yet**: `ashlar update` rolls releases.",
  );
