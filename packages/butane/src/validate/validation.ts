import type { DecodedObject } from "../document/decoded.ts";
import type { Findings } from "../document/findings.ts";
import type { IgnitionRules } from "../ignition-rules.ts";

/** What the checks of one config share. */
export type Validation = { readonly findings: Findings; readonly rules: IgnitionRules };

/** Checks one object; its parts have their own checks. */
export type Check = (object: DecodedObject, validation: Validation) => void;
