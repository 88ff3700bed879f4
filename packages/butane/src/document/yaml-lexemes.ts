import { Lexer } from "yaml";
import { NotYaml } from "./not-yaml.ts";

/** The lexer's marks, which stand for no part of the text: of a document, the end of brackets, and a scalar. */
const SCALAR_MARK = "\u001f";
const MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", SCALAR_MARK]);

/**
 * Splits a YAML text where the reference does. The library's lexer is shown a text of the same length in which what the
 * two see differently looks as the reference sees it; the contents of scalars are then taken from the text itself.
 *
 * @throws NotYaml for what only the reference refuses.
 */
export function* readLexemes(text: string): Generator<string> {
  const shown = text.replaceAll(/[\u2028\u2029]/gu, "\n").replaceAll(INNER_COLON, NO_CHARACTER);
  const rules = new ReferenceRules(text);
  let offset = 0;
  let isScalar = false;
  for (const lexeme of lenientLexer().lex(shown)) {
    if (MARKS.has(lexeme)) {
      isScalar = lexeme === SCALAR_MARK;
      yield lexeme;
      continue;
    }
    const own = text.slice(offset, offset + lexeme.length);
    if (!isScalar && rules.endsDocument(lexeme)) return;
    rules.check(lexeme, offset, isScalar);
    rules.pass(lexeme, offset);
    offset += lexeme.length;
    yield isScalar || lexeme.includes(NO_CHARACTER) ? own : lexeme.startsWith('"') ? withOwnEscapes(own) : lexeme;
    isScalar = false;
  }
}

/** Inside plain text and before a bracket or comma, a colon does not end a key: in `{source: data:,}` it is text. */
const INNER_COLON = /(?<=[^\s"'[\]{},]):(?=[,[\]{}])/gu;
/** Stands for such a colon; no text may contain it. */
const NO_CHARACTER = "\ufffe";

/** Writes what double quotes hold so that YAML 1.2 reads it as the reference does. */
function withOwnEscapes(quoted: string): string {
  return quoted.replaceAll(/\\(?:(?<empty>\r?\n(?=[ \t]*\r?\n))|[^])/gu, (escape, empty?: string) => {
    // YAML 1.1 may escape the quote that needs no escape.
    if (escape === "\\'") return "'";
    // Behind an escaped line break, each empty line is one, not all but the first.
    return empty === undefined ? escape : `${escape}\n`;
  });
}

/** What the reference refuses and the library does not. */
class ReferenceRules {
  readonly #text: string;
  /** How many brackets are open. */
  #depth = 0;
  /** The scalar that ended last, unless something other than space came after it; long if over more than one line. */
  #scalar: { readonly isPlain: boolean; readonly isLong: boolean; readonly column: number } | undefined;
  #hasExplicitKeys = false;
  /** Where the line starts that is being read: looking for it each time would take long in a long line. */
  #lineStart = 0;
  #hasBegun = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whether nothing of what follows is looked at. */
  endsDocument(lexeme: string): boolean {
    const ends = this.#hasBegun && (lexeme === "---" || lexeme === "...");
    this.#hasBegun ||= lexeme !== "..." && !/^[\s#%\ufeff]/u.test(lexeme);
    return ends;
  }

  pass(lexeme: string, offset: number): void {
    const lineEnd = lexeme.lastIndexOf("\n");
    if (lineEnd >= 0) this.#lineStart = offset + lineEnd + 1;
  }

  check(lexeme: string, offset: number, isContent: boolean): void {
    if (!isContent && /^\s/u.test(lexeme)) {
      if (lexeme.includes("\t")) this.#checkTab(lexeme, offset);
      if (this.#scalar !== undefined && lexeme.includes("\n")) this.#scalar = { ...this.#scalar, isLong: true };
      return;
    }
    if (!isContent && lexeme === ":") this.#checkColon(offset);
    this.#scalar = undefined;
    if (isContent) this.#checkPlain(lexeme, offset);
    else if (/^["']/u.test(lexeme)) this.#scalar = { isPlain: false, isLong: lexeme.includes("\n"), column: 0 };
    else if (lexeme === "{" || lexeme === "[") this.#depth += 1;
    else if (lexeme === "}" || lexeme === "]") this.#depth -= 1;
    else if (lexeme === "?") this.#hasExplicitKeys = true;
    else if (lexeme.startsWith("!")) this.#checkTag(lexeme, offset);
    else if (lexeme.startsWith("%")) checkDirective(lexeme, offset);
  }

  #checkPlain(text: string, offset: number): void {
    this.#scalar = { isPlain: true, isLong: text.includes("\n"), column: this.#columnOf(offset) };
    const found = this.#depth > 0 ? /\?|^:|\n\t/u.exec(text) : null;
    if (found === null) return;
    const character = found[0].startsWith("\n") ? "tab at the start of a line" : found[0];
    const message = `expected quotes around text with ${character} in brackets, found none`;
    throw new NotYaml(message, offset + found.index, "put the text in quotes");
  }

  #checkTag(tag: string, offset: number): void {
    const end = offset + tag.length;
    if (/^(?:\s|$)/u.test(this.#text.slice(end, end + 1))) return;
    throw new NotYaml("expected space after the tag, found none", end, "put a text that starts with ! in quotes");
  }

  #checkColon(offset: number): void {
    if (this.#hasExplicitKeys) return;
    const hint = "write the key in one line, before its colon";
    if (this.#scalar?.isLong === true) {
      throw new NotYaml("expected a key in one line, found one over more", offset, hint);
    }
    if (this.#depth === 0 && /^[ -]*$/u.test(this.#lineBefore(offset))) {
      throw new NotYaml("expected a key before the colon, found none", offset, hint);
    }
  }

  /** Tabs lead lines inside brackets only, or behind plain text, where these lines count as its end. */
  #checkTab(space: string, offset: number): void {
    const tab = offset + space.indexOf("\t");
    const before = this.#lineBefore(tab);
    const allowed = this.#scalar?.isPlain === true ? this.#scalar.column : this.#depth > 0 ? 0 : Infinity;
    if (before.trim() !== "" || before.length >= allowed) return;
    throw new NotYaml("expected spaces at the start of the line, found a tab", tab, "indent with spaces only");
  }

  /** Where tabs may stand behind a plain text: one column inside its key, or its dash. */
  #columnOf(offset: number): number {
    if (this.#depth > 0) return 1;
    const before = this.#lineBefore(offset);
    const [dashes = ""] = /^ *(?:- +)*/u.exec(before) ?? [];
    return dashes.length < before.length ? dashes.length + 1 : dashes.lastIndexOf("-") + 1;
  }

  #lineBefore(offset: number): string {
    return this.#text.slice(this.#lineStart, offset);
  }
}

function checkDirective(directive: string, offset: number): void {
  if (/^%(?:YAML[ \t]+1\.1|TAG[ \t].*)[ \t]*$/u.test(directive)) return;
  throw new NotYaml(`expected %YAML 1.1 or %TAG, found ${directive}`, offset, "leave the line out");
}

/** The part of the library's lexer that its types keep private. */
type Internals = {
  indentNext: number;
  parseQuotedScalar: () => Generator<string, unknown>;
  parseFlowCollection: () => Generator<string, unknown>;
};

/**
 * The library's lexer, except that texts in quotes and what stands in brackets may go on at any column, which YAML 1.2
 * forbids and the reference allows. The library's version is pinned, and a test sees to it that this keeps working.
 */
function lenientLexer(): Lexer {
  const lexer = new Lexer();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the members exist; only the types hide them
  const internals = lexer as unknown as Internals;
  for (const name of ["parseQuotedScalar", "parseFlowCollection"] as const) {
    const parseStrictly = internals[name].bind(lexer);
    internals[name] = function* parseLeniently(): Generator<string, unknown> {
      const { indentNext } = internals;
      internals.indentNext = 0;
      const next = yield* parseStrictly();
      internals.indentNext = indentNext;
      return next;
    };
  }
  return lexer;
}
