import { isObject } from "../document/decode.ts";
import type { Decoded, DecodedObject } from "../document/decode.ts";
import type { Findings } from "../document/findings.ts";
import type { IgnitionRules } from "../ignition-rules.ts";

/** What the checks of one config share. */
export type Validation = { readonly findings: Findings; readonly rules: IgnitionRules };

/** Checks one object; its parts have their own checks. */
export type Check = (object: DecodedObject, validation: Validation) => void;

export function objectsOf(value: Decoded | undefined): readonly DecodedObject[] {
  return Array.isArray(value) ? value.filter((item: Decoded) => isObject(item)) : [];
}

export function listOf(value: Decoded | undefined): readonly Decoded[] {
  return Array.isArray(value) ? value : [];
}

/** A decoded integer; nothing for everything else. */
export function integerOf(value: Decoded | undefined): number | undefined {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
}
