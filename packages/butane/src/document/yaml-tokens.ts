import { AshlarError } from "@ashlar/base";
import { Parser, type CST } from "yaml";
import { MAX_DEPTH } from "./limits.ts";
import { readLexemes } from "./yaml-lexemes.ts";

/**
 * Splits a YAML text into the library's tokens.
 *
 * @throws AshlarError `limit` if they nest too deep, before the library runs out of stack on them.
 */
export function* readTokens(text: string): Generator<CST.Token> {
  const parser = new Parser();
  for (const lexeme of readLexemes(text)) yield* shallow(parser.next(lexeme));
  yield* shallow(parser.end());
}

function* shallow(tokens: Iterable<CST.Token>): Generator<CST.Token> {
  for (const token of tokens) {
    const open: [token: CST.Token | null | undefined, depth: number][] = [[token, 0]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [current, depth] = next;
      if (current === null || current === undefined) continue;
      if (depth > 2 * MAX_DEPTH) {
        throw new AshlarError("limit", `expected at most ${MAX_DEPTH} lists and maps inside each other, found more`);
      }
      if ("items" in current)
        for (const { key, value } of current.items) open.push([key, depth + 1], [value, depth + 1]);
      else if (current.type === "document") open.push([current.value, depth]);
    }
    yield token;
  }
}
