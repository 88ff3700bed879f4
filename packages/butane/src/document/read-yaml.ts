import { AshlarError } from "@ashlar/base";
import { Composer, isAlias, isMap, isScalar, isSeq, type Document, type ParsedNode, type Scalar } from "yaml";
import { MAX_DEPTH, MAX_DOCUMENT_LENGTH } from "./limits.ts";
import { NotYaml } from "./not-yaml.ts";
import type { Entry, ScalarTree, Tree } from "./tree.ts";
import { YAML_ADVICE } from "./yaml-advice.ts";
import { readTokens } from "./yaml-tokens.ts";

/** A place where the text does not follow YAML. */
export type SyntaxProblem = { readonly message: string; readonly hint?: string; readonly offset: number };

export type YamlResult =
  | { readonly tree: Tree | undefined; readonly problem?: undefined }
  | { readonly problem: SyntaxProblem };

/**
 * Reads the first document of a YAML text; what follows it is not looked at. An empty text has no tree.
 *
 * @throws AshlarError `limit` if the document is too large or too deep.
 */
export function readYaml(text: string): YamlResult {
  if (text.length > MAX_DOCUMENT_LENGTH) {
    throw new AshlarError("limit", `expected at most ${MAX_DOCUMENT_LENGTH} characters, found ${text.length}`);
  }
  const control = NOT_PRINTABLE.exec(text);
  if (control !== null) {
    const code = control[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0") ?? "";
    const message = `expected printable characters, found U+${code}`;
    return { problem: { message, offset: control.index } };
  }
  try {
    return compose(text);
  } catch (error) {
    if (error instanceof NotYaml) return { problem: error };
    throw error;
  }
}

function compose(text: string): YamlResult {
  // The failsafe schema leaves all scalars as text: what they mean is decided by the key that holds them.
  const composer = new Composer({ schema: "failsafe", uniqueKeys: false, prettyErrors: false, logLevel: "silent" });
  const [document] = composer.compose(readTokens(text), true, text.length);
  if (document === undefined) return { tree: undefined };
  const error = document.errors.find(({ message }) => !message.startsWith(ALLOWED));
  if (error !== undefined) {
    // The library takes a bracket that is never closed for one that is closed too far to the left.
    const code = error.message.includes("and end with a") ? "MISSING_CHAR" : error.code;
    const [message, hint] = YAML_ADVICE[code] ?? [error.message, "this is not YAML"];
    return { problem: { message, hint, offset: error.pos[0] } };
  }
  return new Reader(text).read(document);
}

/** The reference lets a comment follow a bracket or quote at once. */
const ALLOWED = "Comments must be separated from other tokens";

/** What YAML 1.1 lets an anchor be called (section 6.9.2 of YAML 1.2 is more lenient). */
const ANCHOR = /^[\w-]+$/u;

/** What YAML does not let stand as it is (YAML 1.1, section 5.1). */
const NOT_PRINTABLE = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

class Reader {
  readonly #text: string;
  readonly #anchors = new Map<string, Tree>();
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(document: Document.Parsed): YamlResult {
    return { tree: document.contents === null ? undefined : this.#tree(document.contents) };
  }

  #tree(node: ParsedNode | null): Tree {
    if (node === null) return { kind: "scalar", offset: 0, text: "", quoted: false };
    const [offset] = node.range;
    const name = isAlias(node) ? node.source : node.anchor;
    if (name !== undefined && !ANCHOR.test(name)) {
      throw new NotYaml(
        `expected the name of an anchor in letters, digits, - and _, found ${name}`,
        this.#start(node, offset),
      );
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined) {
        throw new NotYaml(`expected an anchor &${node.source} before its use, found none`, offset);
      }
      return { kind: "alias", offset, target };
    }
    const tree = this.#collection(node, this.#start(node, offset));
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, tree);
    return tree;
  }

  #collection(node: Exclude<ParsedNode, { source: string; resolve: unknown }>, offset: number): Tree {
    if (isScalar(node)) {
      const source = this.#text.slice(node.range[0], node.range[1]);
      if (node.type === "QUOTE_DOUBLE") checkEscapes(source, node.range[0]);
      if (node.type !== "BLOCK_LITERAL" && node.type !== "BLOCK_FOLDED") return scalarTree(node, offset);
      checkBlockIndent(source, node.range[0]);
      const tree = scalarTree(node, offset);
      // Where the last line of the file is not ended, neither is the last line of the block.
      const isOpen = node.range[1] >= this.#text.length && !this.#text.endsWith("\n");
      return isOpen ? { ...tree, text: tree.text.replace(/\n$/u, "") } : tree;
    }
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) {
      throw new AshlarError("limit", `expected at most ${MAX_DEPTH} lists and maps inside each other, found more`);
    }
    let tree: Tree;
    if (isMap(node)) {
      const entries: Entry[] = node.items.map((pair) => ({ key: this.#tree(pair.key), value: this.#tree(pair.value) }));
      tree = { kind: "map", offset, entries };
    } else if (isSeq(node)) {
      tree = { kind: "list", offset, items: node.items.map((item) => this.#tree(item)) };
    } else {
      throw new TypeError("unknown kind of YAML node");
    }
    this.#depth -= 1;
    return tree;
  }

  /** Where a node starts, counting its anchor and tag, which the library leaves out of its range. */
  #start(node: ParsedNode, offset: number): number {
    let start = offset;
    const count = Number("anchor" in node && node.anchor !== undefined) + Number(node.tag !== undefined);
    for (let property = 0; property < count; property += 1) {
      const before = /[&!][^\s]*\s+$/u.exec(this.#text.slice(Math.max(0, start - 200), start));
      if (before === null) break;
      start -= before[0].length;
    }
    return start;
  }
}

/** Refuses a tab where the first line of a block of text shows how far the block is indented. */
function checkBlockIndent(block: string, offset: number): void {
  const tab = /^[|>][-+]?(?:[ \t][^\n]*)?\n(?: *\n)* *\t/u.exec(block);
  if (tab === null) return;
  throw new NotYaml("expected spaces at the start of the text, found a tab", offset + tab[0].length - 1);
}

/** Escapes of double quoted text, a backslash's own among them so that what follows it is not taken for one. */
const ESCAPE = /\\(?:\\|\/|u(?<short>[\dA-Fa-f]{4})|U(?<long>[\dA-Fa-f]{8}))/gu;

/** Refuses escapes that YAML 1.1 does not have or that are no characters. */
function checkEscapes(quoted: string, offset: number): void {
  for (const match of quoted.matchAll(ESCAPE)) {
    const code = Number.parseInt(match.groups?.["short"] ?? match.groups?.["long"] ?? "0", 16);
    const isCharacter = code <= 0x10_ff_ff && (code < 0xd8_00 || code > 0xdf_ff);
    if (match[0] === "\\/" || !isCharacter) {
      const message = `expected the escape of a character, found ${match[0]}`;
      throw new NotYaml(message, offset + match.index);
    }
  }
}

function scalarTree(node: Scalar.Parsed, offset: number): ScalarTree {
  const text = node.source ?? "";
  const quoted = node.type !== "PLAIN" && node.type !== undefined && node.type !== null;
  return node.tag === undefined
    ? { kind: "scalar", offset, text, quoted }
    : { kind: "scalar", offset, text, quoted, tag: node.tag };
}
