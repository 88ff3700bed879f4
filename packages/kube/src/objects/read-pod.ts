import type { Pod } from "@ashlar/rollout";
import { z } from "zod";
import { readObject } from "./read-object.ts";

/** The kubelet's mark on a pod that it runs from a file (core/v1, MirrorPodAnnotationKey). */
const MIRROR = "kubernetes.io/config.mirror";
const MAX_ENTRIES = 10_000;

export type KubePod = Omit<Pod, "isOrphan"> & {
  /** Undefined while no node has been chosen. */
  readonly node: string | undefined;
  readonly address: string | undefined;
  readonly isReady: boolean;
  /** Of all its containers. */
  readonly restarts: number;
};

/** What a kubelet says of its pods can be anything that the API server lets through: it must not keep a drain from ending. */
const conditions = z
  .array(z.object({ type: z.string(), status: z.string() }))
  .max(MAX_ENTRIES)
  .nullish()
  .catch(undefined);
const containerStatuses = z
  .array(z.object({ restartCount: z.number() }))
  .max(MAX_ENTRIES)
  .nullish()
  .catch(undefined);

const podSchema = z.object({
  metadata: z.object({
    namespace: z.string().min(1).max(63),
    name: z.string().min(1).max(253),
    uid: z.string().min(1).max(100),
    labels: z.record(z.string(), z.string()).nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
    deletionTimestamp: z.string().nullish(),
    ownerReferences: z
      .array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().nullish() }))
      .max(MAX_ENTRIES)
      .nullish(),
  }),
  spec: z
    .object({
      nodeName: z.string().nullish(),
      volumes: z
        .array(z.looseObject({ name: z.string(), emptyDir: z.unknown().optional() }))
        .max(MAX_ENTRIES)
        .nullish(),
    })
    .nullish(),
  status: z
    .object({ phase: z.string().nullish(), podIP: z.string().nullish(), conditions, containerStatuses })
    .nullish(),
});

/** @throws AshlarError `malformed` */
export function readPod(object: unknown): KubePod {
  const { metadata, spec, status } = readObject(podSchema, object, "expected a Pod");
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    labels: metadata.labels ?? {},
    node: spec?.nodeName ?? undefined,
    address: status?.podIP ?? undefined,
    isReady: status?.conditions?.some(({ type, status: holds }) => type === "Ready" && holds === "True") ?? false,
    restarts: (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    hasEnded: status?.phase === "Succeeded" || status?.phase === "Failed",
    isTerminating: typeof metadata.deletionTimestamp === "string",
    isMirror: metadata.annotations?.[MIRROR] !== undefined,
    controller: controller === undefined ? undefined : { kind: controller.kind, name: controller.name },
    emptyDirs: (spec?.volumes ?? [])
      .filter(({ emptyDir }) => emptyDir !== undefined && emptyDir !== null)
      .map(({ name }) => name),
  };
}
