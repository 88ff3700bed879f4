/** What several resources have in common. Nothing here changes: a later version gets a folder of its own. */
import { z } from "zod";

export const GROUP = "ashlar.dev";
export const VERSION = "v1alpha1";
export const API_VERSION: string = `${GROUP}/${VERSION}`;

/** As Kubernetes has them (meta/v1, Condition). */
export type Condition = {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
};

/** One entry of a Secret or ConfigMap beside the operator. */
export type KeyReference = { readonly name: string; readonly key: string };

/** A rule in the Common Expression Language, and what to do when it is broken (XValidations of a CustomResourceDefinition). */
export type Rule = { readonly rule: string; readonly message: string };

/** For `.meta()`: the API server holds objects to these rules. */
export function rules(...list: readonly Rule[]): Readonly<Record<string, unknown>> {
  return { "x-kubernetes-validations": list };
}

/** For `.meta()` of a list whose entries are told apart by one member. */
export function keyedBy(key: string): Readonly<Record<string, unknown>> {
  return { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key] };
}

/** RFC 1123, as names of objects are. */
export const objectName: z.ZodString = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/u);

export const keyReference: z.ZodType<KeyReference> = z.object({
  name: objectName.describe("Its name, in the operator's namespace"),
  key: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/u)
    .describe("Which of its entries"),
});

/** What os-release's VERSION_ID and names of files may have. */
export const releaseVersion: z.ZodString = z
  .string()
  .max(64)
  .regex(/^[0-9A-Za-z][-0-9A-Za-z._+~]*$/u);

export const timestamp: z.ZodType<string> = z.iso.datetime({ offset: true });

const MAX_CONDITIONS = 16;

export const conditions: z.ZodType<readonly Condition[]> = z
  .array(
    z.object({
      type: z.string().max(316),
      status: z.enum(["True", "False", "Unknown"]),
      reason: z.string().min(1).max(1024),
      message: z.string().max(32_768),
      lastTransitionTime: timestamp.describe("Since when the status is this one"),
      observedGeneration: z.int().min(0).exactOptional().describe("The generation that this is about"),
    }),
  )
  .max(MAX_CONDITIONS)
  .meta(keyedBy("type"));
