import type { HookMarks } from "@ashlar/rollout";
import { z } from "zod";
import { readObject } from "./read-object.ts";

const texts = z.record(z.string(), z.string()).nullish();
const nodeSchema = z.object({
  metadata: z.object({ resourceVersion: z.string(), labels: texts, annotations: texts }),
});

/** @throws AshlarError `malformed` */
export function readHookMarks(object: unknown): HookMarks & { readonly resourceVersion: string } {
  const { resourceVersion, labels, annotations } = readObject(nodeSchema, object, "expected a Node").metadata;
  return { resourceVersion, labels: labels ?? {}, annotations: annotations ?? {} };
}
