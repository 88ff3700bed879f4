import { differencesSchema, LEVELS, type Difference, type Level } from "@ashlar/identity";
import { z } from "zod";

export const DEBUG_RESULT_SCHEMA = "ashlar.debug-session/v1";

/** What `ashlar debug --json` prints. */
export type DebugResult = {
  readonly schema: typeof DEBUG_RESULT_SCHEMA;
  readonly node: string;
  readonly extension: string;
  /** The version that is merged now; null when it has been removed. */
  readonly version: string | null;
  /** RFC 3339: when the node removes it on its own, at the latest. */
  readonly until: string | null;
  /** Of the node as it is now, with the session as an exception. */
  readonly level: Level;
  readonly differences: readonly Difference[];
};

const debugResultSchema: z.ZodType<DebugResult> = z.strictObject({
  schema: z.literal(DEBUG_RESULT_SCHEMA),
  node: z.string(),
  extension: z.string(),
  version: z.string().nullable().describe("The version that is merged now; null when it has been removed"),
  until: z.string().nullable().describe("RFC 3339: when the node removes it on its own, at the latest"),
  level: z.enum(LEVELS).describe("Of the node as it is now, with the session as an exception"),
  differences: differencesSchema,
});

/** The JSON Schema of {@link DebugResult}. */
export function debugResultJsonSchema(): object {
  return {
    $id: "urn:ashlar:debug-session:v1",
    title: "What `ashlar debug --json` prints, version 1",
    ...z.toJSONSchema(debugResultSchema),
  };
}
