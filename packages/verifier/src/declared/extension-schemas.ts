/** What the verifier keeps about extensions on its own disk. */
import { SHA256_HEX } from "@ashlar/base";
import {
  EXTENSION_KINDS,
  EXTENSION_NAME_PATTERN,
  EXTENSION_TIERS,
  EXTENSION_VERSION_PATTERN,
  isVersionGlob,
  type MeasuredExtension,
} from "@ashlar/protocol";
import type { DebugException, KnownExtension, RightExtension } from "@ashlar/identity";
import { z } from "zod";

/** Of one node: those that are over, too. */
export const MAX_EXCEPTIONS = 64;

const kind = z.enum(EXTENSION_KINDS);
const tier = z.enum(EXTENSION_TIERS);
export const extensionNameSchema: z.ZodType<string> = z.string().regex(EXTENSION_NAME_PATTERN);
export const extensionVersionSchema: z.ZodType<string> = z.string().regex(EXTENSION_VERSION_PATTERN);
const name = extensionNameSchema;
const rootHash = z.string().regex(SHA256_HEX);
const pattern = z.string().refine(isVersionGlob, "expected a pattern of versions");

export const measuredExtensionSchema: z.ZodType<MeasuredExtension> = z.strictObject({ kind, name, rootHash });

export const rightExtensionSchema: z.ZodType<RightExtension> = z.strictObject({
  kind,
  name,
  pattern,
  tier: tier.nullable(),
  source: z.strictObject({ type: z.enum(["repository", "file", "track"]) }),
});

export const knownExtensionSchema: z.ZodType<KnownExtension> = z.strictObject({
  kind,
  name,
  version: extensionVersionSchema,
  tier,
  rootHash,
  withdrawn: z.strictObject({ reason: z.string() }).exactOptional(),
});

export const debugExceptionSchema: z.ZodType<DebugException> = z.strictObject({
  name,
  rootHash: rootHash.nullable().describe("The one image that is allowed; null: any that is published"),
  until: z.iso.datetime().describe("When it ends or has ended"),
});
