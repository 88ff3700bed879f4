import { readNamedFile } from "@ashlar/host";
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AshlarError } from "@ashlar/base";
import { openRepository, type Repository } from "@ashlar/repository";

/** A repository of releases, and whose releases are trusted. */
export type RepositoryPlace = {
  /** A directory or an http(s) URL. */
  readonly releases: string;
  /** The file `release-root.json`. */
  readonly releaseRoot: string | undefined;
};

/**
 * Opens a repository that a user has named.
 *
 * @param stateDirectory remembers what was seen of each repository
 * @throws AshlarError `usage` without a root, `not-found` for one that is not there, and whatever openRepository throws
 */
export async function openReleases(
  { releases, releaseRoot }: RepositoryPlace,
  stateDirectory: string,
  signal?: AbortSignal,
): Promise<Repository> {
  if (releaseRoot === undefined) {
    throw new AshlarError("usage", "expected --release-root, the keys that the repository's releases are trusted by", {
      hint: "`ashlar release init` has put release-root.json beside the keys",
    });
  }
  const url = /^https?:\/\//u.test(releases) ? withSlash(releases) : withSlash(pathToFileURL(resolve(releases)).href);
  const trustedRoot = await readNamedFile(releaseRoot, "release-root.json");
  const name = createHash("sha256").update(url).update(trustedRoot).digest("hex").slice(0, 16);
  return await openRepository({
    url,
    trustedRoot,
    stateDirectory: join(stateDirectory, "release-metadata", name),
    nowMs: Date.now(),
    signal,
  });
}

function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}
