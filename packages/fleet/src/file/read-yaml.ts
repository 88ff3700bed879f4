/** Reads YAML against a schema, so that each problem has a line and a column. */
import { isTooDeep, type Position, type Problem, type Report } from "@ashlar/base";
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";

export type YamlForm<Value> = {
  readonly schema: z.ZodType<Value>;
  readonly maxCharacters: number;
  /** What is wrong beside the schema; `complain` takes the place in the document. */
  readonly check: (value: Value, complain: Complain) => void;
};

export type Path = readonly PropertyKey[];
export type Complain = (path: Path, message: string, hint?: string) => void;

/** Of text that is not YAML at all, every character may be one. */
const MAX_PROBLEMS = 20;
const DEPTH = { brackets: 32, indentation: 100 };

/** @returns no value when there is an error */
export function readYaml<Value>(
  text: string,
  { schema, maxCharacters, check }: YamlForm<Value>,
): { readonly value?: Value; readonly report: Report } {
  if (text.length > maxCharacters) return failure(`expected at most ${maxCharacters} characters, found ${text.length}`);
  if (isTooDeep(text, DEPTH)) return failure("expected a few levels of brackets and indentation, found very many");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error", merge: false });
  const problems: Problem[] = [];
  const report = (offset: number, problem: Pick<Problem, "message" | "path" | "hint">): void => {
    const { line, col } = lines.linePos(offset);
    const position: Position = { line, column: col };
    if (problems.length < MAX_PROBLEMS) problems.push({ severity: "error", ...problem, position });
  };
  for (const { message, pos } of document.errors.slice(0, MAX_PROBLEMS))
    report(pos[0], { message, hint: "this is not YAML" });
  if (problems.length > 0) return { report: problems };
  const complain: Complain = (path, message, hint) => {
    const problem = { message, path: ["$", ...path.map(String)].join(".") };
    report(offsetOf(document, path), hint === undefined ? problem : { ...problem, hint });
  };
  const plain = toPlain(document);
  if (plain === undefined) return failure("expected no anchors and aliases, found one: write out what it stands for");
  const result = schema.safeParse(plain.value);
  if (!result.success) {
    for (const issue of result.error.issues) {
      if (issue.code !== "unrecognized_keys") complain(issue.path, issue.message);
      else
        for (const key of issue.keys)
          complain([...issue.path, key], "expected a known key", "remove it, or mend its name");
    }
    return { report: problems };
  }
  check(result.data, complain);
  return problems.length > 0 ? { report: problems } : { value: result.data, report: problems };
}

function failure(message: string): { readonly report: Report } {
  return { report: [{ severity: "error", message }] };
}

function toPlain(document: Document.Parsed): { readonly value: unknown } | undefined {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return { value };
  } catch (error) {
    // What the library throws for an alias that it may not follow.
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

/** Where a value is, or the innermost one around a place where there is none. */
function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) return offset;
      offset = startOf(pair.value) ?? startOf(pair.key) ?? offset;
      node = pair.value;
    } else {
      node = isSeq(node) ? node.items[Number(part)] : undefined;
      offset = startOf(node) ?? offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
