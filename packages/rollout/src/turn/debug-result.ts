import {
  differencesSchema,
  LEVELS,
  nextBootVerdictSchema,
  type Difference,
  type Level,
  type NextBootVerdict,
} from "@ashlar/identity";
import { z } from "zod";

export const DEBUG_RESULT_SCHEMA = "ashlar.debug-session/v2";

/** What `ashlar debug --json` prints. */
export type DebugResult = {
  readonly schema: typeof DEBUG_RESULT_SCHEMA;
  readonly node: string;
  readonly extension: string;
  /** The version that is merged now; null when it has been removed. */
  readonly version: string | null;
  /** RFC 3339: when the node removes it on its own, at the latest. */
  readonly until: string | null;
  /** Of what the node runs now, with the session as an exception. */
  readonly level: Level;
  readonly differences: readonly Difference[];
  /** What it boots next; null when nobody knows who has answered. */
  readonly nextBoot: NextBootVerdict | null;
};

const debugResultSchema: z.ZodType<DebugResult> = z.strictObject({
  schema: z.literal(DEBUG_RESULT_SCHEMA),
  node: z.string(),
  extension: z.string(),
  version: z.string().nullable().describe("The version that is merged now; null when it has been removed"),
  until: z.string().nullable().describe("RFC 3339: when the node removes it on its own, at the latest"),
  level: z.enum(LEVELS).describe("Of what the node runs now, with the session as an exception"),
  differences: differencesSchema,
  nextBoot: nextBootVerdictSchema
    .nullable()
    .describe("What the node boots next; null when it did not answer, or nobody knows who has"),
});

/** The JSON Schema of {@link DebugResult}. */
export function debugResultJsonSchema(): object {
  return {
    $id: "urn:ashlar:debug-session:v2",
    title: "What `ashlar debug --json` prints, version 2",
    ...z.toJSONSchema(debugResultSchema),
  };
}
