import { AshlarError } from "@ashlar/base";
import { Lexer, Parser } from "yaml";
import type { CST } from "yaml";
import { MAX_DEPTH } from "./limits.ts";

/**
 * Splits a YAML text into the library's tokens.
 *
 * @throws AshlarError `limit` if they nest too deep, before the library runs out of stack on them.
 */
export function* readTokens(text: string): Generator<CST.Token> {
  const parser = new Parser();
  for (const lexeme of lenientLexer().lex(text)) yield* shallow(parser.next(lexeme));
  yield* shallow(parser.end());
}

/** The part of the library's lexer that its types keep private. */
type Internals = { indentNext: number; parseQuotedScalar: () => Generator<string, unknown> };

/**
 * The library's lexer, except that texts in quotes may go on at any column, which YAML 1.2 forbids and the reference allows.
 * The library's version is pinned, and a test sees to it that this keeps working.
 */
function lenientLexer(): Lexer {
  const lexer = new Lexer();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the members exist; only the types hide them
  const internals = lexer as unknown as Internals;
  const parseStrictly = internals.parseQuotedScalar.bind(lexer);
  internals.parseQuotedScalar = function* parseLeniently(): Generator<string, unknown> {
    const { indentNext } = internals;
    internals.indentNext = 0;
    const next = yield* parseStrictly();
    internals.indentNext = indentNext;
    return next;
  };
  return lexer;
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
