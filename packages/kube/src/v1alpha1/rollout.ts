import { WEEKDAYS, type MaintenanceWindow } from "@ashlar/declaration";
import { NODE_STATES, PHASES, RETURNS, type NodeState, type Phase, type ReturnsTo } from "@ashlar/rollout";
import { z } from "zod";
import { MAX_TEXT_CHARACTERS } from "./node-proof.ts";
import { conditions, keyedBy, objectName, releaseVersion, rules, timestamp, type Condition } from "./parts.ts";
import { rolloutGatesSchema, type RolloutGate } from "./rollout-gates.ts";

/** What is to be rolled to whom, and in which order. */
export type RolloutSpec = {
  readonly class: string;
  readonly release: string;
  readonly allowDowngrade: boolean;
  readonly concurrency: { readonly nodes?: number; readonly percent?: number };
  readonly canary?: { readonly nodes: number; readonly soakSeconds: number };
  readonly waves: readonly { readonly name: string; readonly selector: Readonly<Record<string, string>> }[];
  readonly reverse: boolean;
  readonly exclude: readonly string[];
  readonly spreadKey?: string;
  readonly windows: readonly MaintenanceWindow[];
  readonly approval: "none" | "each-wave";
  readonly approvedWaves: readonly string[];
  readonly gates: readonly RolloutGate[];
  readonly paused: boolean;
  readonly aborted: boolean;
  readonly tolerate: number;
  readonly drain: RolloutDrain;
  readonly limits: { readonly stagingSeconds: number; readonly bootSeconds: number };
  readonly attempt: number;
};

export type RolloutDrain = {
  readonly attempts: number;
  readonly retrySeconds: number;
  readonly timeoutSeconds: number;
  readonly graceSeconds?: number;
  readonly deleteEmptyDirs: boolean;
  readonly force: boolean;
  readonly blockedBy: readonly Readonly<Record<string, string>>[];
};

/** How far one node is: see NODE_STATES. */
export type RolloutNode = {
  readonly name: string;
  readonly wave: string;
  readonly state: NodeState;
  readonly since: string;
  readonly message?: string;
  readonly from?: string;
  readonly restartedFrom?: string;
  readonly drains?: number;
  readonly returnsTo?: ReturnsTo;
};

export type RolloutStatus = {
  readonly observedGeneration?: number;
  readonly phase?: Phase;
  readonly wave?: string;
  readonly message?: string;
  readonly attempt?: number;
  readonly halt?: { readonly node: string; readonly message: string; readonly since: string };
  readonly total?: number;
  readonly done?: number;
  readonly nodes?: readonly RolloutNode[];
  readonly conditions?: readonly Condition[];
};

const MAX_WAVES = 32;
export const MAX_ROLLOUT_NODES = 5000;
const MAX_WINDOWS = 16;
const MAX_EXCLUDED = 1000;
const MAX_BLOCKING = 16;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MAX_BOOT_ID_CHARACTERS = 64;

const SAME = (member: string): { readonly rule: string; readonly message: string } => ({
  rule: "self == oldSelf",
  message: `${member} does not change: pause this Rollout and make another one`,
});
const KNOWN_WAVES = {
  rule: "self.approvedWaves.all(name, name in ['canary', 'rest', 'control-plane'] || self.waves.exists(wave, wave.name == name))",
  message: "approvedWaves has to name waves of this Rollout, or canary, rest or control-plane",
};
const OWN_NAMES = {
  rule: "self.all(wave, !(wave.name in ['canary', 'rest', 'control-plane']))",
  message: "canary, rest and control-plane are waves that are always there: give this one another name",
};
const NO_CANARY_BACK = {
  rule: "!(self.reverse && has(self.canary))",
  message: "nobody tries out a way back: leave canary out where reverse is true",
};
const ONE_COUNT = {
  rule: "has(self.nodes) != has(self.percent)",
  message: "say how many may be away at once in exactly one of concurrency.nodes and concurrency.percent",
};
const ONLY_RISES = {
  rule: "self >= oldSelf",
  message: "attempt only rises: what has failed is tried again when it does",
};

const FOR_GOOD = {
  rule: "self || !oldSelf",
  message: "an aborted Rollout stays so: make another one",
};

const seconds = (least: number, most: number): z.ZodInt => z.int().min(least).max(most);
const waveName: z.ZodString = objectName.max(63);
const labelKey: z.ZodString = z.string().min(1).max(317);

const DEFAULT_DRAIN: RolloutDrain = {
  attempts: 3,
  retrySeconds: 600,
  timeoutSeconds: 900,
  deleteEmptyDirs: false,
  force: false,
  blockedBy: [],
};

const blockedBy: z.ZodType<RolloutDrain["blockedBy"]> = z
  .array(z.record(z.string(), z.string().max(63)).meta({ minProperties: 1, maxProperties: 8 }))
  .max(MAX_BLOCKING)
  .default([])
  .describe(
    "Labels: while a pod that has all of one of these runs on a node, the node is not cordoned; after `timeoutSeconds` it is tried again later",
  );

const drainSchema: z.ZodType<RolloutDrain> = z
  .object({
    attempts: z.int().min(1).max(100).default(DEFAULT_DRAIN.attempts).describe("How often a node's drain is tried"),
    retrySeconds: seconds(0, DAY).default(DEFAULT_DRAIN.retrySeconds).describe("The pause after one that did not end"),
    timeoutSeconds: seconds(1, DAY)
      .default(DEFAULT_DRAIN.timeoutSeconds)
      .describe("How long all of a node's pods together may take to go"),
    graceSeconds: seconds(0, DAY).exactOptional().describe("For each pod to end; without it, what the pod says itself"),
    deleteEmptyDirs: z.boolean().default(false).describe("Whether pods go whose emptyDir volumes are lost then"),
    force: z.boolean().default(false).describe("Whether pods go that nobody makes anew"),
    blockedBy,
  })
  .default(DEFAULT_DRAIN)
  .describe("How pods leave a node, as with `kubectl drain`. A node whose drain has not ended is never restarted");

const windowSchema: z.ZodType<MaintenanceWindow> = z.object({
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .max(7)
    .default([...WEEKDAYS])
    .describe("The days on which it begins"),
  start: z
    .string()
    .max(5)
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/u)
    .describe("By the clock in the time zone, for example 02:00"),
  durationMinutes: z.int().min(1).max(1440).describe("It may reach into the next day"),
  timeZone: z.string().min(1).max(64).default("UTC").describe("IANA's name, for example Europe/Prague"),
});

export const rolloutSpecSchema: z.ZodType<RolloutSpec> = z
  .object({
    class: objectName.describe("The NodeClass whose nodes are updated").meta(rules(SAME("class"))),
    release: releaseVersion.describe("The release that they go to").meta(rules(SAME("release"))),
    allowDowngrade: z.boolean().default(false).describe("Whether nodes may go to it from a newer one"),
    concurrency: z
      .object({
        nodes: z.int().min(1).max(1000).exactOptional(),
        percent: z.int().min(1).max(100).exactOptional().describe("Of the nodes that take part; one at least"),
      })
      .default({ nodes: 1 })
      .describe("How many nodes may be away at once, for whatever reason: who is not Ready, or cordoned, counts")
      .meta(rules(ONE_COUNT)),
    canary: z
      .object({
        nodes: z.int().min(1).max(100).describe("How many nodes go first"),
        soakSeconds: seconds(0, 30 * DAY).describe("For how long they have to stay proven before the others go"),
      })
      .exactOptional()
      .describe("Who tries it out. None of them may fail"),
    waves: z
      .array(
        z.object({
          name: waveName,
          selector: z
            .record(z.string(), z.string().max(63))
            .describe("Labels of its nodes")
            .meta({ minProperties: 1, maxProperties: 8 }),
        }),
      )
      .max(MAX_WAVES)
      .default([])
      .describe("Groups of nodes in their order; nodes of no group go after them, those of the control plane last")
      .meta({ ...keyedBy("name"), ...rules(OWN_NAMES) }),
    reverse: z
      .boolean()
      .default(false)
      .describe("Whether the waves go in the other direction, for going back: what went last comes back first")
      .meta(rules(SAME("reverse"))),
    exclude: z
      .array(objectName)
      .max(MAX_EXCLUDED)
      .default([])
      .describe("Names of nodes that are left out")
      .meta({ "x-kubernetes-list-type": "set" }),
    spreadKey: labelKey
      .exactOptional()
      .describe("A label, for example topology.kubernetes.io/zone: of nodes with the same value one is away at a time"),
    windows: z
      .array(windowSchema)
      .max(MAX_WINDOWS)
      .default([])
      .describe(
        "When nodes may be drained and restarted; without any, at all times. A turn begins only where it can end",
      ),
    approval: z.enum(["none", "each-wave"]).default("none").describe("Whether somebody has to approve each wave"),
    approvedWaves: z
      .array(waveName)
      .max(MAX_WAVES + 3)
      .default([])
      .describe("Those that may begin"),
    gates: rolloutGatesSchema,
    paused: z
      .boolean()
      .default(false)
      .describe("No further node is begun. Another Rollout of the class may go on then"),
    aborted: z
      .boolean()
      .default(false)
      .describe(
        "It ends as it is: nobody is begun, what was drained takes pods again, what restarts is waited for. Where nodes have got stays right for them",
      )
      .meta(rules(FOR_GOOD)),
    tolerate: z
      .int()
      .min(0)
      .max(1000)
      .default(0)
      .describe("How many nodes may fail or fall back before the rollout halts"),
    drain: drainSchema,
    limits: z
      .object({
        stagingSeconds: seconds(1, 7 * DAY)
          .default(HOUR)
          .describe("Until a node has fetched the release"),
        bootSeconds: seconds(1, DAY)
          .default(15 * MINUTE)
          .describe("From a restart until it is proven, and again until it is Ready"),
      })
      .default({ stagingSeconds: HOUR, bootSeconds: 15 * MINUTE })
      .describe("How long each part of a node's turn may take"),
    attempt: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(1)
      .describe("Raise it to end a halt and to try again what has failed")
      .meta(rules(ONLY_RISES)),
  })
  .meta(rules(KNOWN_WAVES, NO_CANARY_BACK));

const nodeName: z.ZodString = objectName;
const message: z.ZodString = z.string().max(MAX_TEXT_CHARACTERS);

const nodeSchema: z.ZodType<RolloutNode> = z.object({
  name: nodeName,
  wave: waveName,
  state: z.enum(NODE_STATES),
  since: timestamp.describe("Since when it is in this state"),
  message: message.exactOptional().describe("Why it waits, or how it has ended"),
  from: releaseVersion.exactOptional().describe("The release that it was proven to run when its turn came"),
  restartedFrom: z
    .string()
    .min(1)
    .max(MAX_BOOT_ID_CHARACTERS)
    .exactOptional()
    .describe("The boot that it was told to leave: written down before it is told"),
  drains: z.int().min(0).exactOptional().describe("How many drains did not end"),
  returnsTo: z.enum(RETURNS).exactOptional().describe("What it becomes when it has got back what was taken"),
});

export const rolloutStatusSchema: z.ZodType<RolloutStatus> = z.object({
  observedGeneration: z.int().min(0).exactOptional().describe("The generation that the rest is about"),
  phase: z.enum(PHASES).exactOptional(),
  wave: z.string().max(63).exactOptional().describe("The wave that goes on"),
  message: message.exactOptional().describe("Why nothing further is begun"),
  attempt: z.int().min(1).exactOptional().describe("The attempt that goes on"),
  halt: z
    .object({ node: nodeName, message, since: timestamp })
    .exactOptional()
    .describe("Why it has stopped by itself. It stays so until somebody raises the attempt"),
  total: z.int().min(0).exactOptional().describe("How many nodes take part"),
  done: z.int().min(0).exactOptional().describe("How many of them are proven at the release"),
  nodes: z
    .array(nodeSchema)
    .max(MAX_ROLLOUT_NODES)
    .exactOptional()
    .describe("How far each node is")
    .meta(keyedBy("name")),
  conditions: conditions
    .exactOptional()
    .describe(
      "`Progressing`: whether something goes on, or why not. `Complete`: all that take part are done. `Halted`",
    ),
});

export const rolloutSchema: z.ZodType<{ readonly spec: RolloutSpec; readonly status?: RolloutStatus }> = z
  .object({ spec: rolloutSpecSchema, status: rolloutStatusSchema.exactOptional() })
  .describe("What is rolled to whom, in which order, and how far it is. `ashlar operator` carries it out.");
