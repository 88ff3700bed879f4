/** One import of a source file; lines count from 1. */
export type Import = {
  readonly specifier: string;
  readonly line: number;
  /** Gone when the program runs: `import type` or `export type`. */
  readonly isType: boolean;
};

const SPECIFIERS =
  /(?<=^|[;}\s])(?:import|export)\b(?:[^"'`;()]*?\bfrom)?\s*["'](?<static>[^"'\n]+)["']|\bimport\(\s*["'](?<dynamic>[^"'\n]+)["']/gmu;

/** The specifiers of every import, re-export and import() of a module's text. */
export function findImports(text: string): Import[] {
  const code = blankComments(text);
  return [...code.matchAll(SPECIFIERS)].map((match) => ({
    specifier: match.groups?.["static"] ?? match.groups?.["dynamic"] ?? "",
    line: code.slice(0, match.index).split("\n").length,
    isType: /^(?:import|export)\s+type\b/u.test(match[0]),
  }));
}

/** Comments give way to spaces, so that what they mention does not count and every line keeps its number. */
export function blankComments(text: string): string {
  return text.replaceAll(/("(?:[^"\\\n]|\\.)*")|\/\*[\s\S]*?\*\/|(?<![:\w])\/\/.*/gu, (found, string?: string) =>
    string === undefined ? found.replaceAll(/[^\n]/gu, " ") : found,
  );
}
