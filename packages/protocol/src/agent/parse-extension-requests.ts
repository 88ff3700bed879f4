import { AshlarError, membersOf } from "@ashlar/base";
import { type ComponentRequest, type DebugRequest, MAX_DEBUG_SECONDS } from "./extension-api.ts";
import { EXTENSION_NAME_PATTERN } from "../words/extension-words.ts";
import { EXTENSION_VERSION_PATTERN } from "../manifests/extension-manifest.ts";

/**
 * Checks the body of `POST /v1/extensions/update`.
 *
 * @throws AshlarError `malformed`
 */
export function parseComponentRequest(body: string): ComponentRequest {
  const { component, to, allowDowngrade, retry, ...others } = parseObject(body);
  refuseOthers(others, "component, to, allowDowngrade and retry");
  if (!isName(component)) malformed("an extension's name", "component", component);
  if (to !== undefined && !isVersion(to)) malformed("a version such as v1.33.5", "to", to);
  if (!isOptionalBoolean(allowDowngrade)) malformed("true or false", "allowDowngrade", allowDowngrade);
  if (!isOptionalBoolean(retry)) malformed("true or false", "retry", retry);
  return {
    component,
    ...(to === undefined ? {} : { to }),
    ...(allowDowngrade === undefined ? {} : { allowDowngrade }),
    ...(retry === undefined ? {} : { retry }),
  };
}

/**
 * Checks the body of `POST /v1/extensions/debug`.
 *
 * @throws AshlarError `malformed`
 */
export function parseDebugRequest(body: string): DebugRequest {
  const { extension, seconds, ...others } = parseObject(body);
  refuseOthers(others, "extension and seconds");
  if (!isName(extension)) malformed("an extension's name", "extension", extension);
  if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds < 0 || seconds > MAX_DEBUG_SECONDS) {
    malformed(`0 to ${MAX_DEBUG_SECONDS} seconds`, "seconds", seconds);
  }
  return { extension, seconds };
}

/** What only this node's own timer and boot ask for: `POST /v1/extensions/maintain`. */
export type MaintainRequest = { readonly updates: boolean };

export function parseMaintainRequest(body: string): MaintainRequest {
  const { updates, ...others } = parseObject(body);
  refuseOthers(others, "updates");
  if (typeof updates !== "boolean") malformed("true or false", "updates", updates);
  return { updates };
}

function parseObject(body: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return membersOf(value);
  throw new AshlarError("malformed", "request: expected a JSON object, found something else");
}

function refuseOthers(others: object, known: string): void {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new AshlarError("malformed", `request: expected only ${known}, found ${unknown.slice(0, 80)}`);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && EXTENSION_NAME_PATTERN.test(value);
}

function isVersion(value: unknown): value is string {
  return typeof value === "string" && EXTENSION_VERSION_PATTERN.test(value);
}

function isOptionalBoolean(value: unknown): value is boolean | undefined {
  return value === undefined || typeof value === "boolean";
}

function malformed(expected: string, member: string, value: unknown): never {
  const found = value === undefined ? "nothing" : JSON.stringify(value).slice(0, 80);
  throw new AshlarError("malformed", `request: expected ${expected} at $.${member}, found ${found}`);
}
