import { dirname, join, normalize } from "node:path/posix";
import { findImports } from "./imports.ts";
import type { Workspace } from "./read-workspaces.ts";
import { NODE_LIBRARIES, NODE_PROGRAM, NOT_ON_NODES } from "./rules.ts";

/** Every library, and every package of ours, that the node's program loads although it must not: with the file that does. */
export function findNodeLibraries(workspaces: readonly Workspace[]): string[] {
  const texts = new Map(workspaces.flatMap(({ files }) => files.map(({ path, text }) => [path, text] as const)));
  const doors = new Map(workspaces.flatMap(({ doorFiles }) => [...(doorFiles ?? [])]));
  const names = new Set(workspaces.map(({ name }) => name));
  const violations: string[] = [];
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const banned = NOT_ON_NODES.find((directory) => path.startsWith(`${directory}/`));
    if (banned !== undefined) violations.push(`${path}: ${banned} must not be loaded on a node`);
    for (const { specifier, line, isType } of findImports(texts.get(path) ?? "")) {
      if (isType || specifier.startsWith("node:")) continue;
      const file = specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : doors.get(specifier);
      const library = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
      if (file !== undefined) visit(file);
      else if (!names.has(library) && !NODE_LIBRARIES.includes(library)) {
        violations.push(`${path}:${line}: a node loads ${library}: expected one of ${NODE_LIBRARIES.join(", ")}`);
      }
    }
  };
  if (texts.has(NODE_PROGRAM)) visit(NODE_PROGRAM);
  return violations;
}
