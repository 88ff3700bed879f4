import type { Pod } from "@ashlar/rollout";
import { z } from "zod";
import { readObject } from "./read-object.ts";

/** The kubelet's mark on a pod that it runs from a file (core/v1, MirrorPodAnnotationKey). */
const MIRROR = "kubernetes.io/config.mirror";
const MAX_ENTRIES = 10_000;

export type KubePod = Omit<Pod, "isOrphan"> & { readonly labels: Readonly<Record<string, string>> };

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
      volumes: z
        .array(z.looseObject({ name: z.string(), emptyDir: z.unknown().optional() }))
        .max(MAX_ENTRIES)
        .nullish(),
    })
    .nullish(),
  status: z.object({ phase: z.string().nullish() }).nullish(),
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
    hasEnded: status?.phase === "Succeeded" || status?.phase === "Failed",
    isTerminating: typeof metadata.deletionTimestamp === "string",
    isMirror: metadata.annotations?.[MIRROR] !== undefined,
    controller: controller === undefined ? undefined : { kind: controller.kind, name: controller.name },
    emptyDirs: (spec?.volumes ?? [])
      .filter(({ emptyDir }) => emptyDir !== undefined && emptyDir !== null)
      .map(({ name }) => name),
  };
}
