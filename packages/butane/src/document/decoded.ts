/** A decoded value: objects have the keys of Ignition JSON; what is null or empty by default is absent. */
export type Decoded = string | boolean | number | bigint | Decoded[] | DecodedObject;
export type DecodedObject = { [key: string]: Decoded | undefined };

export function isObject(value: Decoded | undefined): value is DecodedObject {
  return typeof value === "object" && !Array.isArray(value);
}

/** A decoded string; empty for everything else. */
export function textOf(value: Decoded | undefined): string {
  return typeof value === "string" ? value : "";
}

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
