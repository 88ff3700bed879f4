import { membersOf } from "@ashlar/base";
import { z } from "zod";
import { rolloutSpecSchema, rolloutStatusSchema, type RolloutSpec, type RolloutStatus } from "../v1alpha1/rollout.ts";
import { readObject } from "./read-object.ts";
import type { ObjectReference } from "./read-resource.ts";

export type RolloutObject = ObjectReference & {
  readonly generation: number;
  readonly createdAt: string;
  /** Somebody has deleted it: it goes when its finalizers do. */
  readonly isDeleting: boolean;
  readonly finalizers: readonly string[];
  readonly spec: RolloutSpec | undefined;
  readonly status: RolloutStatus | undefined;
  /** Why there is no spec or no status that this version understands. */
  readonly fault: string | undefined;
};

const objectSchema = z.object({
  metadata: z.object({
    name: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    generation: z.int().nullish(),
    creationTimestamp: z.string().nullish(),
    deletionTimestamp: z.string().nullish(),
    finalizers: z.array(z.string()).nullish(),
  }),
});

/** @throws AshlarError `malformed` for what is no object at all */
export function readRollout(object: unknown): RolloutObject {
  const { metadata } = readObject(objectSchema, object, "expected an object of Kubernetes");
  const { name, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, finalizers } = metadata;
  const members = membersOf(object);
  const spec = rolloutSpecSchema.safeParse(members["spec"]);
  const status = rolloutStatusSchema.safeParse(members["status"] ?? {});
  return {
    name,
    uid,
    resourceVersion,
    generation: generation ?? 0,
    createdAt: creationTimestamp ?? "",
    isDeleting: typeof deletionTimestamp === "string",
    finalizers: finalizers ?? [],
    spec: spec.data,
    status: status.data,
    fault: faultOf("spec", spec) ?? faultOf("status", status),
  };
}

function faultOf(what: string, { error }: { readonly error?: z.ZodError | undefined }): string | undefined {
  const issue = error?.issues[0];
  return issue && `${[what, ...issue.path].join(".")}: ${issue.message}`;
}
