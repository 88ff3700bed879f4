import { AshlarError } from "@ashlar/base";

/** A Go module at one version, with the digest over its files that Go calls "h1" (Go Modules Reference, "go.sum files"). */
export type GoModule = { readonly path: string; readonly version: string; readonly sum: string };

const MAX_CHARACTERS = 65_536;
const LINE = /^(?<path>[a-z0-9.-]+\.[a-z]+(?:\/[\w.~-]+)*) (?<version>v\d[\w.+-]*) (?<sum>h1:[A-Za-z0-9+/]{43}=)$/u;

/**
 * Reads `go/VERSION.sum` of a recipe: first the module that is built, then those that its source tree expects in a place of
 * its own and that its module zip leaves out.
 *
 * @throws AshlarError `malformed` or `limit`
 */
export function parseGoSums(text: string, where: string): readonly [GoModule, ...GoModule[]] {
  if (text.length > MAX_CHARACTERS) {
    throw new AshlarError("limit", `${where}: expected at most ${MAX_CHARACTERS} characters, found ${text.length}`);
  }
  const modules = text.split("\n").flatMap((line, index) => {
    if (line === "") return [];
    const { path, version, sum } = LINE.exec(line)?.groups ?? {};
    if (path !== undefined && version !== undefined && sum !== undefined) return [{ path, version, sum }];
    throw new AshlarError(
      "malformed",
      `${where}, line ${index + 1}: expected a module, its version and its h1: digest`,
    );
  });
  const [first, ...others] = modules;
  if (first === undefined) throw new AshlarError("malformed", `${where}: expected a line for each module, found none`);
  return [first, ...others];
}
