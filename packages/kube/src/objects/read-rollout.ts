import { membersOf } from "@ashlar/base";
import type { z } from "zod";
import { rolloutSpecSchema, rolloutStatusSchema, type RolloutSpec, type RolloutStatus } from "../v1alpha1/rollout.ts";
import { readMetadata, type ObjectReference } from "./read-metadata.ts";

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

/** @throws AshlarError `malformed` for what is no object at all */
export function readRollout(object: unknown): RolloutObject {
  const { name, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, finalizers } =
    readMetadata(object);
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
