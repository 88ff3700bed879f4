import { statSync } from "node:fs";

/** A file that a bundle was made of, as it was then. */
export type InputFile = {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly state: string;
};

/**
 * What tells one state of a file from all others, without reading it. Any write, replacement or copy sets the time of the
 * last change of its inode, which no program can choose.
 */
export function stateOf(root: string, path: string): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(`${root}/${path}`);
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

export function isUnchanged(root: string, inputs: readonly InputFile[]): boolean {
  try {
    return inputs.every(({ path, state }) => stateOf(root, path) === state);
  } catch {
    return false;
  }
}
