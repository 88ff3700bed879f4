import type { z } from "zod";
import { nodeClassSchema } from "./node-class.ts";
import { nodeProofSchema } from "./node-proof.ts";
import { rolloutSchema } from "./rollout.ts";

/** A column of `kubectl get`. */
export type Column = {
  readonly name: string;
  readonly jsonPath: string;
  readonly type: "string" | "integer" | "date";
  /** Only with `-o wide`. */
  readonly isWide?: true;
};

/** A kind of object, as a CustomResourceDefinition has to describe it. All are of the cluster, not of a namespace. */
export type Kind = {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly columns: readonly Column[];
  readonly schema: z.ZodType;
};

const AGE: Column = { name: "Age", jsonPath: ".metadata.creationTimestamp", type: "date" };
const condition = (type: string, member: "status" | "reason" | "message"): string =>
  `.status.conditions[?(@.type=="${type}")].${member}`;

export const KINDS: readonly Kind[] = [
  {
    kind: "NodeClass",
    plural: "nodeclasses",
    shortName: "nclass",
    schema: nodeClassSchema,
    columns: [
      { name: "Release", jsonPath: ".spec.release", type: "string" },
      { name: "Nodes", jsonPath: ".status.nodes", type: "integer" },
      { name: "Proven", jsonPath: ".status.proven", type: "integer" },
      { name: "Ready", jsonPath: condition("Ready", "status"), type: "string" },
      { name: "Why", jsonPath: condition("Ready", "message"), type: "string", isWide: true },
      AGE,
    ],
  },
  {
    kind: "NodeProof",
    plural: "nodeproofs",
    shortName: "nproof",
    schema: nodeProofSchema,
    columns: [
      { name: "Proven", jsonPath: condition("Proven", "status"), type: "string" },
      { name: "Reason", jsonPath: condition("Proven", "reason"), type: "string" },
      { name: "Release", jsonPath: ".status.release", type: "string" },
      { name: "Next boot", jsonPath: ".status.nextBoot.release", type: "string" },
      { name: "Class", jsonPath: ".status.class", type: "string" },
      { name: "Last proved", jsonPath: ".status.lastProved", type: "date" },
      { name: "Quarantined", jsonPath: condition("Quarantined", "status"), type: "string", isWide: true },
      { name: "Why", jsonPath: condition("Proven", "message"), type: "string", isWide: true },
      { name: "Identity", jsonPath: ".status.identity", type: "string", isWide: true },
    ],
  },
  {
    kind: "Rollout",
    plural: "rollouts",
    shortName: "nroll",
    schema: rolloutSchema,
    columns: [
      { name: "Class", jsonPath: ".spec.class", type: "string" },
      { name: "Release", jsonPath: ".spec.release", type: "string" },
      { name: "Phase", jsonPath: ".status.phase", type: "string" },
      { name: "Wave", jsonPath: ".status.wave", type: "string" },
      { name: "Done", jsonPath: ".status.done", type: "integer" },
      { name: "Of", jsonPath: ".status.total", type: "integer" },
      { name: "Why", jsonPath: ".status.message", type: "string", isWide: true },
      AGE,
    ],
  },
];
