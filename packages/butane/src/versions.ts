import { schema as flatcar100 } from "./flatcar-1.0.0/schema.ts";
import { schema as flatcar110 } from "./flatcar-1.1.0/schema.ts";
import { RULES_3_3, RULES_3_4, type IgnitionRules } from "./ignition-rules.ts";
import type { ObjectSchema } from "./schema/schema.ts";

/** A released version of the Butane language. */
export type ButaneVersion = {
  readonly variant: "flatcar";
  readonly version: string;
  /** The version of Ignition configs that it becomes. */
  readonly ignition: string;
  readonly schema: ObjectSchema;
  readonly rules: IgnitionRules;
};

export const BUTANE_VERSIONS: readonly ButaneVersion[] = [
  { variant: "flatcar", version: "1.0.0", ignition: "3.3.0", schema: flatcar100, rules: RULES_3_3 },
  { variant: "flatcar", version: "1.1.0", ignition: "3.4.0", schema: flatcar110, rules: RULES_3_4 },
];
