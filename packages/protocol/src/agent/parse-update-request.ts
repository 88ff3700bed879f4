import { AshlarError, membersOf } from "@ashlar/base";
import type { UpdateRequest } from "./update-api.ts";

/** A version or a channel's name becomes part of file names and of URLs. */
const NAME = /^[0-9A-Za-z][0-9A-Za-z.~^+-]{0,63}$/u;

/**
 * Checks the body of `POST /v1/update`. An empty one is an order without a choice.
 *
 * @throws AshlarError `malformed`
 */
export function parseUpdateRequest(body: string): UpdateRequest {
  const members = membersOf(parseObject(body));
  const { to, channel, allowDowngrade, retry, ...others } = members;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) malformed(`expected only to, channel, allowDowngrade and retry, found ${unknown}`);
  if (to !== undefined && channel !== undefined) malformed("expected to or channel, found both");
  return {
    ...optional("to", to, isName, "a version such as 1.1.0"),
    ...optional("channel", channel, isName, "a channel's name such as stable"),
    ...optional("allowDowngrade", allowDowngrade, isBoolean, "true or false"),
    ...optional("retry", retry, isBoolean, "true or false"),
  };
}

function parseObject(body: string): object {
  if (body === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  return malformed("expected a JSON object, found something else");
}

function optional<Name extends string, Value>(
  name: Name,
  value: unknown,
  is: (value: unknown) => value is Value,
  expected: string,
): { readonly [key in Name]?: Value } {
  if (value === undefined) return {};
  if (!is(value)) malformed(`expected ${expected} at $.${name}, found ${JSON.stringify(value).slice(0, 80)}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- TypeScript widens a computed key
  return { [name]: value } as { readonly [key in Name]?: Value };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function malformed(message: string): never {
  throw new AshlarError("malformed", `request: ${message}`);
}
