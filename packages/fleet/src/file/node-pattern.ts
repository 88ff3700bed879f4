import { AshlarError } from "@ashlar/base";

/** Up to nine digits: the numbers stay exact, and names short. */
const RANGE = /\[(?<first>[0-9]{1,9})-(?<last>[0-9]{1,9})\]/gu;

/**
 * The names that a pattern stands for: `node-[1-100]`, or `rack-[1-4]-node-[01-40]`. A first number with leading zeros gives
 * all of them as many digits.
 *
 * @throws AshlarError `invalid` for a pattern without a range, or with one that goes down; `limit` for more than `most` names
 */
export function expandPattern(pattern: string, most: number): string[] {
  const ranges = [...pattern.matchAll(RANGE)];
  const rest = pattern.replaceAll(RANGE, "");
  if (ranges.length === 0 || /[[\]]/u.test(rest)) {
    throw new AshlarError(
      "invalid",
      `expected ranges of numbers such as node-[1-100], found ${JSON.stringify(pattern)}`,
    );
  }
  let names = [""];
  let end = 0;
  for (const range of ranges) {
    const between = pattern.slice(end, range.index);
    const numbers = numbersOf(range.groups?.["first"] ?? "", range.groups?.["last"] ?? "", most);
    if (names.length * numbers.length > most) throw tooMany(pattern, most);
    names = names.flatMap((name) => numbers.map((number) => `${name}${between}${number}`));
    end = range.index + range[0].length;
  }
  return names.map((name) => `${name}${pattern.slice(end)}`);
}

function numbersOf(first: string, last: string, most: number): string[] {
  const [from, to] = [Number(first), Number(last)];
  if (to < from) throw new AshlarError("invalid", `expected a range that goes up, found [${first}-${last}]`);
  if (to - from >= most) throw tooMany(`[${first}-${last}]`, most);
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index).padStart(first.length, "0"));
}

function tooMany(pattern: string, most: number): AshlarError {
  return new AshlarError(
    "limit",
    `expected a pattern of at most ${most} names, found more in ${JSON.stringify(pattern)}`,
  );
}
