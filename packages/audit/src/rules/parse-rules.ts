import { AshlarError, isTooDeep, membersOf } from "@ashlar/base";
import { parse, YAMLParseError } from "yaml";
import type { NoiseRule } from "./noise-rule.ts";

const MAX_CHARACTERS = 65_536;
const MAX_RULES = 500;
const MAX_PATTERNS = 500;
const MAX_PATTERN_CHARACTERS = 500;
const DEPTH = { brackets: 16, indentation: 50 };
const FORM = "a list `rules` of rules with name, reason, matches and, unless it is content, ignores";

/**
 * A user's own rules, as YAML or JSON.
 *
 * @throws AshlarError `invalid` with all that is wrong, `limit`
 */
export function parseRules(text: string, name: string): NoiseRule[] {
  if (text.length > MAX_CHARACTERS)
    throw new AshlarError("limit", `expected at most ${MAX_CHARACTERS} characters in ${name}`);
  if (isTooDeep(text, DEPTH))
    throw new AshlarError("limit", `expected a few levels of brackets and indentation in ${name}`);
  const rules = membersOf(readYaml(text, name))["rules"];
  if (!Array.isArray(rules) || rules.length > MAX_RULES)
    throw new AshlarError("invalid", `expected ${FORM} in ${name}`);
  const problems: string[] = [];
  const found = rules.map((rule: unknown, index) => {
    const complain = (problem: string): void => void problems.push(`rule ${index + 1}: ${problem}`);
    return readRule(membersOf(rule), complain);
  });
  const names = found.map((rule) => rule.name);
  for (const twice of new Set(names.filter((each, index) => names.indexOf(each) !== index)))
    problems.push(`expected each name once, found ${JSON.stringify(twice)} again`);
  if (problems.length === 0) return found;
  throw new AshlarError("invalid", `${name}: ${problems.join("; ")}`, {
    hint: "docs/guides/audit.md shows such a file",
  });
}

function readYaml(text: string, name: string): unknown {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0, logLevel: "error", merge: false });
    return value;
  } catch (error) {
    // What the library throws for text that is no YAML, and for an alias.
    if (!(error instanceof YAMLParseError) && !(error instanceof ReferenceError)) throw error;
    throw new AshlarError("invalid", `${name} is not YAML: ${error.message.split("\n", 1)[0]}`);
  }
}

function readRule(members: Readonly<Record<string, unknown>>, complain: (problem: string) => void): NoiseRule {
  const { name, reason, matches, ignores = "content", ...rest } = members;
  for (const key of Object.keys(rest)) complain(`expected ${FORM}, found ${JSON.stringify(key)}`);
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9-]{0,63}$/u.test(name))
    complain("expected a name of small letters, digits and hyphens");
  if (typeof reason !== "string" || reason === "") complain("expected the reason, a sentence");
  if (ignores !== "content" && ignores !== "all") complain("expected content or all as what it ignores");
  const patterns: readonly unknown[] = Array.isArray(matches) ? matches : [];
  if (patterns.length === 0 || patterns.length > MAX_PATTERNS)
    complain(`expected 1 to ${MAX_PATTERNS} patterns in matches`);
  for (const pattern of patterns)
    if (!isPattern(pattern)) complain(`expected a pattern of a path, found ${JSON.stringify(pattern)}`);
  return {
    name: typeof name === "string" ? name : "",
    reason: typeof reason === "string" ? reason : "",
    matches: patterns.filter((pattern) => typeof pattern === "string"),
    ignores: ignores === "all" ? "all" : "content",
  };
}

/** A path, or a kind of state with its name; something that matches everything is a mistake. */
function isPattern(value: unknown): boolean {
  if (typeof value !== "string" || value.length > MAX_PATTERN_CHARACTERS || value.includes("***")) return false;
  return /^(?:\/|\*\*\/|[a-z-]+:|kernel$|command-line$)/u.test(value) && /[^*/]/u.test(value);
}
