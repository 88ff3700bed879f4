import type { Problem } from "@ashlar/base";

/** A problem with the absolute path of the file that it is in. */
export type DeclarationProblem = Problem & { readonly file: string };

/** For people: the place in the file on the node, then what is wrong. */
export function describeProblem({ file, position, path, message }: DeclarationProblem): string {
  const place = [file, position?.line, position?.column].filter((part) => part !== undefined).join(":");
  return `${place}: ${path === undefined ? "" : `${path}: `}${message}`;
}
