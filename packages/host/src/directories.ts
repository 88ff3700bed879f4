import { homedir } from "node:os";
import { join } from "node:path";

/** Where rebuildable files are kept (XDG Base Directory Specification). */
export function cacheDirectory(): string {
  return join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "ashlar");
}

/** Where state that cannot be rebuilt is kept: pinned keys, labs (XDG Base Directory Specification). */
export function stateDirectory(): string {
  return join(process.env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state"), "ashlar");
}
