import { AshlarError, messageOf } from "@ashlar/base";
import { type ExtensionBehaviour, NO_BEHAVIOUR } from "../manifests/extension-manifest.ts";

export const MAX_BEHAVIOUR_BYTES: number = 64 * 1024;
const MAX_ENTRIES = 1000;
const LISTS = ["replaces", "restart", "reload", "start"] as const;
/** systemd.unit(5), "Description". */
const UNIT_NAME = /^[\w:.@\\-]{1,255}\.(?:service|socket|target|timer|path|mount|slice)$/u;
/** Normal form: a node compares it with names. */
const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/u;
const MAX_PATH_CHARACTERS = 1024;
const HEALTH_CHECK_DIRECTORY = "/usr/lib/ashlar/health.d/";

/**
 * Parses the file that says what a node does with an extension.
 *
 * @throws AshlarError `limit`, `malformed`
 */
export function parseBehaviour(text: string): ExtensionBehaviour {
  if (text.length > MAX_BEHAVIOUR_BYTES) {
    throw new AshlarError("limit", `extension behaviour: expected at most ${MAX_BEHAVIOUR_BYTES} characters`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    malformed(`expected JSON, found ${messageOf(error)}`);
  }
  return checkBehaviour(value);
}

/**
 * The same for a value; what is absent is empty.
 *
 * @throws AshlarError `malformed`
 */
export function checkBehaviour(value: unknown): ExtensionBehaviour {
  if (typeof value !== "object" || value === null || Array.isArray(value)) malformed("expected an object");
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const unknown = Object.keys(fields).find((name) => !(name in NO_BEHAVIOUR));
  if (unknown !== undefined) {
    malformed(`expected ${Object.keys(NO_BEHAVIOUR).join(", ")}, found ${JSON.stringify(unknown.slice(0, 64))}`);
  }
  const lists = Object.fromEntries(LISTS.map((name) => [name, readList(name, fields[name])]));
  const { healthCheck = null } = fields;
  const isHealthCheck =
    typeof healthCheck === "string" && healthCheck.startsWith(HEALTH_CHECK_DIRECTORY) && isPath(healthCheck);
  if (healthCheck !== null && !isHealthCheck) malformed(`healthCheck: expected a path below ${HEALTH_CHECK_DIRECTORY}`);
  return { ...NO_BEHAVIOUR, ...lists, healthCheck: isHealthCheck ? healthCheck : null };
}

function readList(name: (typeof LISTS)[number], value: unknown = []): string[] {
  const isGood = name === "replaces" ? isPath : (each: string) => UNIT_NAME.test(each);
  const what = name === "replaces" ? "absolute paths" : "names of units";
  if (!Array.isArray(value) || value.length > MAX_ENTRIES)
    malformed(`${name}: expected a list of at most ${MAX_ENTRIES} ${what}`);
  return value.map((each: unknown) => {
    if (typeof each !== "string" || !isGood(each)) {
      malformed(`${name}: expected ${what}, found ${JSON.stringify(each)?.slice(0, 64)}`);
    }
    return each;
  });
}

function isPath(text: string): boolean {
  return text.length <= MAX_PATH_CHARACTERS && PATH.test(text);
}

function malformed(message: string): never {
  throw new AshlarError("malformed", `extension behaviour: ${message}`);
}
