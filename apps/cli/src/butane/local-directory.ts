import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  constants,
} from "node:fs";
import { dirname, join, sep } from "node:path";
import { AshlarError, messageOf } from "@ashlar/base";
import { MAX_LOCAL_FILE_BYTES, type LocalEntry, type LocalFiles } from "@ashlar/butane";

/**
 * The files that a Butane config may embed from a directory on this machine. A link that leads out of it is followed, as the
 * reference does, be it the file or a directory on the way there.
 */
export function localDirectory(directory: string): LocalFiles {
  let root: string | undefined;
  const rootOf = (): string => (root ??= attempt(() => realpathSync(directory)));
  /** The real path of what a path leads to. */
  const followed = (path: string): string => attempt(() => realpathSync(join(rootOf(), path)));
  const place = (path: string): string =>
    path === "" ? rootOf() : join(followed(dirname(path)), path.slice(path.lastIndexOf("/") + 1));
  return {
    look: (path) => attempt(() => entryOf(place(path))),
    read: (path) => attempt(() => readRegular(followed(path), path)),
    list: (path) => attempt(() => readdirSync(followed(path))),
    leadsOut: (path) => {
      const real = followed(path);
      return real !== rootOf() && !real.startsWith(rootOf() === sep ? sep : rootOf() + sep);
    },
  };
}

function entryOf(path: string): LocalEntry {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) {
    const leadsToDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    return { kind: "link", target: readlinkSync(path), leadsToDirectory };
  }
  const kind = found.isFile() ? "file" : found.isDirectory() ? "directory" : "other";
  return { kind, executable: (found.mode & 0o111) !== 0 };
}

/** Opens before it looks, so that what is read is what was looked at; without waiting for the writer of a pipe. */
function readRegular(real: string, path: string): Uint8Array {
  const file = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size, isFile } = statOf(file);
    if (!isFile) throw new AshlarError("invalid", `expected a regular file, found another at ${path}`);
    if (size > MAX_LOCAL_FILE_BYTES) {
      const message = `expected at most ${MAX_LOCAL_FILE_BYTES} bytes, found ${size} in ${path}`;
      throw new AshlarError("limit", message, { hint: "let the node fetch it with source and verification" });
    }
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function statOf(file: number): { readonly size: number; readonly isFile: boolean } {
  const found = fstatSync(file);
  return { size: found.size, isFile: found.isFile() };
}

function attempt<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (error instanceof AshlarError) throw error;
    throw new AshlarError("not-found", `expected a local file: ${messageOf(error)}`, { cause: error });
  }
}
