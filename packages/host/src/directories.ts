import { lstatSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";

/** Where rebuildable files are kept (XDG Base Directory Specification). */
export function cacheDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "ashlar");
}

/** Where state that cannot be rebuilt is kept: pinned keys, labs (XDG Base Directory Specification). */
export function stateDirectory(): string {
  return join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "ashlar");
}

/** Where what the user has decided is kept: whose TPMs are trusted (XDG Base Directory Specification). */
export function configDirectory(): string {
  return join(process.env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config"), "ashlar");
}

/**
 * Makes the directory for sockets if need be, and gives its path. It is short, since the path of a unix socket has at
 * most 107 bytes, and only this user can enter it: whoever could put a socket there could pose as a machine.
 *
 * @throws AshlarError `untrusted` when the directory belongs to someone else.
 */
export function runtimeDirectory(): string {
  const uid = process.getuid?.() ?? 0;
  const xdg = process.env["XDG_RUNTIME_DIR"];
  let directory = `/tmp/ashlar-${uid}`;
  if (uid === 0) directory = "/run/ashlar";
  else if (xdg !== undefined && xdg !== "" && xdg.length <= MAX_RUNTIME_PARENT_BYTES) directory = join(xdg, "ashlar");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) {
    throw new AshlarError("untrusted", `expected ${directory} to be a directory that only this user can write to`, {
      hint: `remove ${directory}, or set XDG_RUNTIME_DIR to a directory of yours`,
    });
  }
  return directory;
}

/** Leaves room below the 107 bytes for what is put in the directory. */
const MAX_RUNTIME_PARENT_BYTES = 50;
