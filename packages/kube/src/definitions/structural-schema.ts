import { z } from "zod";

/** A schema as the API server takes it ("Extend the Kubernetes API with CustomResourceDefinitions", structural schemas). */
export type StructuralSchema = {
  readonly type: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly items?: StructuralSchema;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly "x-kubernetes-validations"?: readonly { readonly rule: string; readonly message: string }[];
};

export function structuralSchema(schema: z.ZodType): StructuralSchema {
  const found: unknown = z.toJSONSchema(schema, { target: "openapi-3.0", io: "input", reused: "inline" });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server itself says in a test whether it is one
  return withoutUnknown(found) as StructuralSchema;
}

function withoutUnknown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => withoutUnknown(each));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([name, member]) => !isNeedless(name, member, value));
  return Object.fromEntries(entries.map(([name, member]) => [name, withoutUnknown(member)]));
}

function isNeedless(name: string, member: unknown, of: object): boolean {
  if (name === "$schema" || name === "propertyNames") return true;
  // What zod adds to each integer, and what the format says already.
  if (name === "minimum" || name === "maximum")
    return member === Number.MIN_SAFE_INTEGER || member === Number.MAX_SAFE_INTEGER;
  return name === "pattern" && "format" in of && of.format === "date-time";
}
