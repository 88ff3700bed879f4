import { statSync } from "node:fs";

/**
 * A file that a bundle was made of, as it was then. Any write, replacement or copy sets the time of the last change of its
 * inode, which no program can choose.
 */
export type InputFile = readonly [pathFromRoot: string, inode: number, changedAtMs: number];

export function inputFile(root: string, path: string): InputFile {
  const { ino, ctimeMs } = statSync(`${root}/${path}`);
  return [path, ino, ctimeMs];
}

/** Compares without reading the files, and without making text of numbers: every start of a command waits for this. */
export function isUnchanged(root: string, inputs: readonly InputFile[]): boolean {
  try {
    return inputs.every(([path, inode, changedAtMs]) => {
      const { ino, ctimeMs } = statSync(`${root}/${path}`);
      return ino === inode && ctimeMs === changedAtMs;
    });
  } catch {
    return false;
  }
}

/** Longer than the clock of files stands still. */
const SETTLED_AFTER_MS = 1000;

/** Whether any change since then shows: one within the same tick of the clock as the last one would not. */
export function areSettled(inputs: readonly InputFile[], atMs: number): boolean {
  return inputs.every(([, , changedAtMs]) => changedAtMs < atMs - SETTLED_AFTER_MS);
}
