/** Takes members of the signed index apart, each error naming its place. */
import { SHA256_HEX, AshlarError } from "@ashlar/base";

/** A file of the repository; its name is relative to where all of its kind lie. */
export type PublishedFile = { readonly name: string; readonly sizeBytes: number; readonly sha256: string };

/** `at`: RFC 3339. */
export type Withdrawal = { readonly reason: string; readonly at: string };

/** The parts of TUF's targets role that hold the index; the models of tuf-js have this shape. */
export type SignedTargets = {
  readonly version: number;
  readonly targets: Readonly<
    Record<string, { readonly length: number; readonly hashes: Readonly<Record<string, string>> }>
  >;
  readonly unrecognizedFields: Readonly<Record<string, unknown>>;
};

/** Of a withdrawal's reason. */
export const MAX_REASON_CHARACTERS = 1000;
const MAX_FILE_BYTES = 16 * 1024 ** 3;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/u;

/**
 * A file that is one of TUF's targets.
 *
 * @param path its name there
 */
export function parseFile(
  { targets }: SignedTargets,
  { name, path = name, place }: { readonly name: string; readonly path?: string; readonly place: string },
): PublishedFile {
  const target = Object.hasOwn(targets, path) ? targets[path] : undefined;
  const sha256 = target?.hashes["sha256"];
  if (target === undefined || sha256 === undefined || !SHA256_HEX.test(sha256)) {
    return fail(place, "the name of a target with its SHA-256", path);
  }
  if (!Number.isSafeInteger(target.length) || target.length < 0 || target.length > MAX_FILE_BYTES) {
    return fail(`$.targets.${path}.length`, `at most ${MAX_FILE_BYTES} bytes`, target.length);
  }
  return { name, sizeBytes: target.length, sha256 };
}

export function parseWithdrawal(value: unknown, place: string): Withdrawal {
  const { reason, at } = object(value, place);
  if (typeof reason !== "string" || reason.length > MAX_REASON_CHARACTERS) {
    return fail(`${place}.reason`, `a text of at most ${MAX_REASON_CHARACTERS} characters`, reason);
  }
  return { reason, at: text(at, TIME, `${place}.at`, "a time in UTC") };
}

export function object(value: unknown, place: string): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : fail(place, "an object", value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function entries(value: unknown, place: string, max: number): [string, unknown][] {
  const found = Object.entries(object(value, place));
  if (found.length <= max) return found;
  throw new AshlarError("limit", `release index: expected at most ${max} entries at ${place}, found ${found.length}`);
}

export function text(value: unknown, pattern: RegExp, place: string, expected: string): string {
  return typeof value === "string" && pattern.test(value) ? value : fail(place, expected, value);
}

export function oneOf<T extends string>(value: unknown, values: readonly T[], place: string): T {
  return values.find((each) => each === value) ?? fail(place, values.join(", "), value);
}

export function fail(place: string, expected: string, found: unknown): never {
  const shown = (JSON.stringify(found) ?? "nothing").slice(0, 100);
  throw new AshlarError("malformed", `release index: expected ${expected} at ${place}, found ${shown}`);
}
