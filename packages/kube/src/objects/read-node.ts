import { CORDON_NOTE, type Member } from "@ashlar/rollout";
import { z } from "zod";
import { readObject } from "./read-object.ts";

/** What is taken out of a Node (core/v1). */
export type KubeNode = Member & {
  /** What it says itself is its address inside the cluster. */
  readonly internalAddress: string | undefined;
  /** What its pods get their addresses from. */
  readonly podNetwork: string | undefined;
  readonly kubeletVersion: string;
  /** See CLASS_LABEL. */
  readonly className: string | undefined;
  /** For a change that must not undo another one's. */
  readonly resourceVersion: string;
};

/**
 * The label that says of which class a node is. Its prefix is one that the API server lets no kubelet write
 * (NodeRestriction), so that a node cannot choose what it is measured against.
 */
export const CLASS_LABEL = "ashlar.node-restriction.kubernetes.io/class";

const MAX_ENTRIES = 10_000;
const texts = z.record(z.string(), z.string());

/** What a kubelet writes can be anything that the API server lets through: it must not hide the other nodes. */
const addresses = z
  .array(z.object({ type: z.string(), address: z.string().max(253) }))
  .max(MAX_ENTRIES)
  .nullish()
  .catch(undefined);
const conditions = z
  .array(
    z.object({ type: z.string(), status: z.string(), reason: z.string().nullish(), message: z.string().nullish() }),
  )
  .max(MAX_ENTRIES)
  .nullish()
  .catch(undefined);
const nodeInfo = z
  .object({ bootID: z.string().nullish(), kubeletVersion: z.string().nullish() })
  .nullish()
  .catch(undefined);

const nodeSchema = z.object({
  metadata: z.object({
    name: z.string().min(1).max(253),
    resourceVersion: z.string(),
    labels: texts.nullish(),
    annotations: texts.nullish(),
  }),
  spec: z.object({ unschedulable: z.boolean().nullish(), podCIDR: z.string().nullish() }).nullish(),
  status: z.object({ addresses, conditions, nodeInfo }).nullish(),
});

/** @throws AshlarError `malformed` */
export function readNode(object: unknown): KubeNode {
  const { metadata, spec, status } = readObject(nodeSchema, object, "expected a Node");
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return {
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    isReady: ready?.status === "True",
    readiness:
      ready === undefined ? "it has not reported yet" : [ready.reason, ready.message].filter(Boolean).join(": "),
    cordon: cordonOf(spec, metadata.annotations),
    bootId: status?.nodeInfo?.bootID ?? "",
    internalAddress: status?.addresses?.find(({ type }) => type === "InternalIP")?.address,
    podNetwork: spec?.podCIDR ?? undefined,
    kubeletVersion: status?.nodeInfo?.kubeletVersion ?? "",
    className: metadata.labels?.[CLASS_LABEL],
  };
}

export function cordonOf(
  spec: { readonly unschedulable?: boolean | null | undefined } | null | undefined,
  annotations: Readonly<Record<string, string>> | null | undefined,
): Member["cordon"] {
  if (spec?.unschedulable !== true) return "none";
  return annotations?.[CORDON_NOTE] === undefined ? "foreign" : "ours";
}
