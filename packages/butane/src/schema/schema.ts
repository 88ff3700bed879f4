/**
 * The vocabulary in which each version's keys are defined. One definition per version drives decoding, unknown keys,
 * output order, TypeScript types, the JSON Schema for editors and the reference pages.
 */
export type Schema = ScalarSchema | ListSchema | ObjectSchema;

export type ScalarSchema = { readonly kind: "string" | "integer" | "boolean" };

export type ListSchema = { readonly kind: "list"; readonly of: Schema };

export type ObjectSchema = {
  readonly kind: "object";
  /** Name of the generated TypeScript type. */
  readonly name: string;
  /** In the order in which Ignition JSON prints them. */
  readonly fields: readonly Field[];
  /** Set where the schema is of some keys only: others are not unknown. */
  readonly isPart?: true;
};

export type Field = {
  /** The key in Butane YAML. */
  readonly yaml: string;
  /** The key in Ignition JSON, and the property of the decoded object. */
  readonly json: string;
  readonly schema: Schema;
  /** One or more plain sentences for editors and reference pages. */
  readonly text: string;
  /**
   * - `optional`: absent unless given.
   * - `required`: counts as empty when absent, and is always printed.
   * - `nonzero`: printed unless zero (a partition's number).
   */
  readonly presence: "optional" | "required" | "nonzero";
  /** Where the key exists: in both languages, in Butane only, which turns it into something else, or in Ignition only. */
  readonly language: "both" | "butane" | "ignition";
  /** The accepted values, where they form a closed list. For editors; the checks have their own messages. */
  readonly values?: readonly string[];
};

export const text: ScalarSchema = { kind: "string" };
export const integer: ScalarSchema = { kind: "integer" };
export const boolean: ScalarSchema = { kind: "boolean" };

export function list(of: Schema): ListSchema {
  return { kind: "list", of };
}

export function object(name: string, fields: readonly Field[]): ObjectSchema {
  return { kind: "object", name, fields };
}

/** Some keys of an object that has more. */
export function part(name: string, fields: readonly Field[]): ObjectSchema {
  return { ...object(name, fields), isPart: true };
}

type FieldDetails = { readonly json?: string; readonly values?: readonly string[] };

export function optional(yaml: string, schema: Schema, description: string, details: FieldDetails = {}): Field {
  return { yaml, json: camelCase(yaml), schema, text: description, presence: "optional", language: "both", ...details };
}

export function required(yaml: string, schema: Schema, description: string, details: FieldDetails = {}): Field {
  return { ...optional(yaml, schema, description, details), presence: "required" };
}

/** A key that Butane has and Ignition has not. */
export function butaneOnly(field: Field): Field {
  return { ...field, language: "butane" };
}

/** A key that Ignition has and Butane has not. */
export function ignitionOnly(field: Field): Field {
  return { ...field, language: "ignition" };
}

function camelCase(name: string): string {
  return name.replaceAll(/_(?<letter>[a-z])/gu, (_match, letter: string) => letter.toUpperCase());
}
