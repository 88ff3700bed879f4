import { z } from "zod";
import {
  conditions,
  keyReference,
  objectName,
  releaseVersion,
  rules,
  type Condition,
  type KeyReference,
} from "./parts.ts";
import { nodeRolloutSchema, type NodeRollout } from "./rollout-hooks.ts";
import { quarantineSchema, type Quarantine } from "./quarantine.ts";

/** What nodes of one kind are declared to be. */
export type NodeClassSpec = {
  readonly selector: Readonly<Record<string, string>>;
  readonly config: { readonly butane?: string; readonly secret?: KeyReference };
  /** A Secret with NODE.ign for each node. */
  readonly nodeConfigs?: string;
  readonly release: string;
  readonly releases: { readonly url?: string; readonly root?: KeyReference; readonly manifests?: string };
  readonly trust: {
    readonly ekRoots?: KeyReference;
    readonly cloudRoots?: KeyReference;
    readonly acceptExpiredEk: boolean;
    readonly firmwarePolicy?: KeyReference;
  };
  readonly proof: { readonly intervalSeconds: number; readonly freshnessSeconds: number };
  readonly quarantine: Quarantine;
  readonly rollout?: NodeRollout;
  /** A Secret's entry with a private key. */
  readonly operatorKey?: KeyReference;
};

export type NodeClassStatus = {
  readonly observedGeneration?: number;
  readonly nodes?: number;
  readonly proven?: number;
  readonly conditions?: readonly Condition[];
};

const MAX_LABELS = 8;
/** etcd takes 1.5 MiB; a larger config has its place in a Secret of its own. */
const MAX_BUTANE_CHARACTERS = 262_144;
const DAY = 86_400;
/** What `proof.freshnessSeconds` is where a class does not say it. */
export const DEFAULT_FRESHNESS_SECONDS = 3600;

const ONE_CONFIG = {
  rule: "has(self.butane) != has(self.secret)",
  message: "say what the nodes are declared to be in exactly one of config.butane and config.secret",
};
const ONE_SOURCE = {
  rule: "has(self.url) != has(self.manifests)",
  message:
    "say where the manifests of releases are in exactly one of releases.url, a repository, and releases.manifests, a ConfigMap",
};
const ROOT_WITH_URL = {
  rule: "has(self.url) == has(self.root)",
  message: "give releases.root, the repository's release-root.json, with releases.url, and only with it",
};
const OUT_OF_REACH = {
  rule: "self.all(key, key.startsWith('node-restriction.kubernetes.io/') || key.contains('.node-restriction.kubernetes.io/'))",
  message:
    "select by labels that no kubelet may write, for example ashlar.node-restriction.kubernetes.io/class: a node must not choose what it is held against",
};
const FRESH_ENOUGH = {
  rule: "self.freshnessSeconds >= 2 * self.intervalSeconds",
  message:
    "proof.freshnessSeconds has to be at least twice proof.intervalSeconds, or one missed answer makes a proof too old",
};
const SECOND_CHANCE = {
  rule: "!has(self.quarantine.evictAfterSeconds) || self.quarantine.evictAfterSeconds >= self.proof.intervalSeconds",
  message:
    "quarantine.evictAfterSeconds has to be at least proof.intervalSeconds, so that a node is asked once more before its pods have to leave",
};
const SOMEBODY = {
  rule: "has(self.ekRoots) || has(self.cloudRoots)",
  message:
    "trust somebody: name the certificates of TPM makers in trust.ekRoots, or those of clouds in trust.cloudRoots",
};

const specSchema: z.ZodType<NodeClassSpec> = z.object({
  selector: z
    .record(z.string(), z.string().max(63))
    .describe("A Node with all of these labels is of this class")
    .meta({ minProperties: 1, maxProperties: MAX_LABELS, ...rules(OUT_OF_REACH) }),
  config: z
    .object({
      butane: z.string().min(1).max(MAX_BUTANE_CHARACTERS).exactOptional().describe("The Butane file itself"),
      secret: keyReference
        .exactOptional()
        .describe(
          "A Secret's entry with it: its key ends in .bu for Butane, in .ign for the Ignition config's own bytes",
        ),
    })
    .describe("The class's part of the configuration, which all its nodes share")
    .meta(rules(ONE_CONFIG)),
  nodeConfigs: objectName
    .exactOptional()
    .describe(
      "A Secret with the own part of each node as NODE.ign. A node without such an entry has to have no own part",
    ),
  release: releaseVersion.describe("The release that the nodes run"),
  releases: z
    .object({
      url: z
        .string()
        .max(2048)
        .regex(/^https?:\/\/[^/]/u)
        .exactOptional()
        .describe("A repository of releases. What is read there is held to releases.root"),
      root: keyReference.exactOptional().describe("A ConfigMap's entry with its release-root.json"),
      manifests: objectName
        .exactOptional()
        .describe("A ConfigMap of which each entry is the manifest.json of a release"),
    })
    .describe("Where the manifests are that nodes are held against")
    .meta(rules(ONE_SOURCE, ROOT_WITH_URL)),
  trust: z
    .object({
      ekRoots: keyReference.exactOptional().describe("A ConfigMap's entry with the certificates of TPM makers, PEM"),
      cloudRoots: keyReference.exactOptional().describe("A ConfigMap's entry with those of clouds, PEM"),
      acceptExpiredEk: z.boolean().default(false).describe("Whether makers' certificates may have expired"),
      firmwarePolicy: keyReference
        .exactOptional()
        .describe("A ConfigMap's entry with a policy of known firmware, as `ashlar prove --learn-firmware` writes it"),
    })
    .describe("Who vouches for TPMs and firmware")
    .meta(rules(SOMEBODY)),
  proof: z
    .object({
      intervalSeconds: z.int().min(10).max(DAY).default(600).describe("How often a node is asked"),
      freshnessSeconds: z
        .int()
        .min(120)
        .max(7 * DAY)
        .default(DEFAULT_FRESHNESS_SECONDS)
        .describe("After this time a proof says nothing any more"),
    })
    .default({ intervalSeconds: 600, freshnessSeconds: DEFAULT_FRESHNESS_SECONDS })
    .describe("How often nodes are asked, and for how long an answer counts")
    .meta(rules(FRESH_ENOUGH)),
  quarantine: quarantineSchema,
  rollout: nodeRolloutSchema.exactOptional(),
  operatorKey: keyReference
    .exactOptional()
    .describe(
      "A Secret's entry with the private key whose orders the nodes take, as `ashlar operator-key` makes it. Only Rollouts need it",
    ),
});

const statusSchema: z.ZodType<NodeClassStatus> = z.object({
  observedGeneration: z.int().min(0).exactOptional().describe("The generation that the rest is about"),
  nodes: z.int().min(0).exactOptional().describe("How many Nodes it selects"),
  proven: z.int().min(0).exactOptional().describe("How many of them are proven"),
  conditions: conditions
    .exactOptional()
    .describe(
      "`Ready`: False with the reason when nodes cannot be held against this class. `Quarantine`: whether nodes that are not proven are tainted",
    ),
});

export const nodeClassSchema: z.ZodType<{ readonly spec: NodeClassSpec; readonly status?: NodeClassStatus }> = z
  .object({ spec: specSchema.meta(rules(SECOND_CHANCE)), status: statusSchema.exactOptional() })
  .describe("What nodes of one kind are declared to be, and how they are proved.");
