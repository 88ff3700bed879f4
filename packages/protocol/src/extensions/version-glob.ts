import { matchesGlob } from "node:path/posix";
import { EXTENSION_VERSION_PATTERN } from "../manifests/extension-manifest.ts";

const GLOB = /^v?[0-9*?][0-9A-Za-z.~+*?]{0,62}$/u;
/** Each one more multiplies the ways in which a version can be tried. */
const MAX_STARS = 3;

/** Whether the text is a version, or a pattern of versions with `*` (any text) and `?` (any character). */
export function isVersionGlob(text: string): boolean {
  return GLOB.test(text) && text.split("*").length - 1 <= MAX_STARS;
}

/** @param glob one that {@link isVersionGlob} takes */
export function matchesVersion(version: string, glob: string): boolean {
  return EXTENSION_VERSION_PATTERN.test(version) && matchesGlob(version, glob);
}
