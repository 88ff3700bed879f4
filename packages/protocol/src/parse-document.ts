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
  if (text.length > maxCharacters) {
    throw new AshlarError("limit", `${what}: expected at most ${maxCharacters} characters, found ${text.length}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AshlarError("malformed", `${what}: expected JSON, found ${messageOf(error)}`);
  }
  return checkDocument(value, schema, what);
}

/**
 * Like {@link parseDocument}, for files that we write ourselves: it also refuses members that would be lost, which are two
 * of one name, and `__proto__`.
 */
export function parseOwnDocument<T>(text: string, schema: z.ZodType<T>, what: string, maxCharacters: number): T {
  const document = parseDocument(text, schema, what, maxCharacters);
  const lost = findLostMember(text);
  if (lost === undefined) return document;
  const found =
    lost === "__proto__" ? "one called __proto__" : `two called ${JSON.stringify(lost.slice(0, MAX_PATH_CHARACTERS))}`;
  throw new AshlarError("malformed", `${what}: expected members with names of their own, found ${found}`);
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
