import type { Member } from "@ashlar/rollout";
import { z } from "zod";
import type { ObjectReference } from "./read-metadata.ts";
import { cordonOf } from "./read-node.ts";
import { readObject } from "./read-object.ts";
import { ownTaintsOf, type OwnTaint } from "./taints.ts";

/** What stands on a Node for people. Its kubelet can write all of it, so nothing is decided by it. */
export type NodeMarks = {
  readonly condition: {
    readonly status: "True" | "False" | "Unknown";
    readonly reason: string;
    readonly message: string;
  };
  readonly release: string | undefined;
  readonly identity: string | undefined;
};

export type MarkedNode = ObjectReference & {
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly bootId: string;
  readonly internalAddress: string | undefined;
  readonly isReady: boolean;
  readonly cordon: Member["cordon"];
  /** Those of ours. A kubelet can register with any, and change none (NodeRestriction). */
  readonly taints: readonly OwnTaint[];
  readonly marks: Partial<NodeMarks>;
  /** Since when the condition has its status. */
  readonly markedSince: string | undefined;
};

export const CONDITION = "AshlarProven";
export const RELEASE_LABEL = "ashlar.dev/release";
export const IDENTITY_ANNOTATION = "ashlar.dev/identity";

const MAX_ENTRIES = 10_000;
const texts = z.record(z.string(), z.string()).nullish();

/** A kubelet writes these: whatever it is, the other nodes are still seen. */
const conditions = z
  .array(
    z.object({
      type: z.string(),
      status: z.enum(["True", "False", "Unknown"]).catch("Unknown"),
      reason: z.string().nullish(),
      message: z.string().nullish(),
      lastTransitionTime: z.string().nullish(),
    }),
  )
  .max(MAX_ENTRIES)
  .nullish()
  .catch(undefined);
const addresses = z
  .array(z.object({ type: z.string(), address: z.string().max(253) }))
  .max(MAX_ENTRIES)
  .nullish()
  .catch(undefined);
const nodeInfo = z
  .object({ bootID: z.string().max(64).nullish() })
  .nullish()
  .catch(undefined);

const nodeSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    creationTimestamp: z.string().nullish(),
    labels: texts,
    annotations: texts,
  }),
  spec: z
    .object({ unschedulable: z.boolean().nullish(), taints: z.array(z.unknown()).max(MAX_ENTRIES).nullish() })
    .nullish(),
  status: z.object({ addresses, conditions, nodeInfo }).nullish(),
});

/** @throws AshlarError `malformed` for what is no Node at all */
export function readMarkedNode(object: unknown): MarkedNode {
  const { metadata, spec, status } = readObject(nodeSchema, object, "expected a Node");
  const { name, uid, resourceVersion } = metadata;
  const own = status?.conditions?.find(({ type }) => type === CONDITION);
  const condition =
    own === undefined
      ? {}
      : { condition: { status: own.status, reason: own.reason ?? "", message: own.message ?? "" } };
  return {
    name,
    uid,
    resourceVersion,
    createdAt: metadata.creationTimestamp ?? "",
    labels: metadata.labels ?? {},
    bootId: status?.nodeInfo?.bootID ?? "",
    internalAddress: status?.addresses?.find(({ type }) => type === "InternalIP")?.address,
    isReady: status?.conditions?.find(({ type }) => type === "Ready")?.status === "True",
    cordon: cordonOf(spec, metadata.annotations),
    taints: ownTaintsOf(spec?.taints ?? []),
    marks: {
      ...condition,
      release: metadata.labels?.[RELEASE_LABEL],
      identity: metadata.annotations?.[IDENTITY_ANNOTATION],
    },
    markedSince: own?.lastTransitionTime ?? undefined,
  };
}
