import { AshlarError, messageOf } from "@ashlar/base";
import type { z } from "zod";
import { findLostMember } from "./lost-member.ts";

/**
 * Parses outside JSON text against a schema. Every problem's place is given as a path such as `$.usr.rootHash`.
 *
 * @param what names the document in errors, for example "release manifest"
 * @throws AshlarError `limit` when the text is too long, `malformed` when it is not JSON or not of the schema's shape
 */
export function parseDocument<T>(text: string, schema: z.ZodType<T>, what: string, maxCharacters: number): T {
  return checkDocument(parseJson(text, what, maxCharacters), schema, what);
}

function parseJson(text: string, what: string, maxCharacters: number): unknown {
  if (text.length > maxCharacters) {
    throw new AshlarError("limit", `${what}: expected at most ${maxCharacters} characters, found ${text.length}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AshlarError("malformed", `${what}: expected JSON, found ${messageOf(error)}`);
  }
}

/**
 * Like {@link parseDocument}, for files that we write ourselves: it also refuses members that would be lost, which are two
 * of one name, and `__proto__`.
 */
export function parseOwnDocument<T>(text: string, schema: z.ZodType<T>, what: string, maxCharacters: number): T {
  const value = parseJson(text, what, maxCharacters);
  const document = checkDocument(value, schema, what);
  const lost = losesNothing(text, value) ? undefined : findLostMember(text);
  if (lost === undefined) return document;
  const found =
    lost === "__proto__" ? "one called __proto__" : `two called ${JSON.stringify(lost.slice(0, MAX_PATH_CHARACTERS))}`;
  throw new AshlarError("malformed", `${what}: expected members with names of their own, found ${found}`);
}

/**
 * Whether a text is exactly what its value is written as, so that nothing of it was lost: a quarter of the time of a search. What
 * reads as `__proto__` is written as that, or does not come back as it was.
 */
function losesNothing(text: string, value: unknown): boolean {
  return !text.includes("__proto__") && `${JSON.stringify(value, undefined, 2)}\n` === text;
}

/** Like {@link parseDocument}, for JSON that has been parsed already. */
export function checkDocument<T>(value: unknown, schema: z.ZodType<T>, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${pathOf(issue.path)}: ${issue.message}`);
  const more = problems.length > MAX_SHOWN_PROBLEMS ? `; and ${problems.length - MAX_SHOWN_PROBLEMS} more` : "";
  throw new AshlarError("malformed", `${what}: ${problems.slice(0, MAX_SHOWN_PROBLEMS).join("; ")}${more}`);
}

const MAX_SHOWN_PROBLEMS = 5;

function pathOf(path: readonly PropertyKey[]): string {
  return ["$", ...path.map(String)].join(".").slice(0, MAX_PATH_CHARACTERS);
}

const MAX_PATH_CHARACTERS = 200;
