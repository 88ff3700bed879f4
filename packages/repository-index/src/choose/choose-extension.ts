import { AshlarError } from "@ashlar/base";
import { compareVersions } from "@ashlar/formats";
import { matchesVersion } from "@ashlar/protocol";
import { extensionVersions, findExtension } from "../model/edit-extensions.ts";
import type { ExtensionEntry } from "../model/extension-entry.ts";
import type { Withdrawal } from "../model/index-fields.ts";
import type { RepositoryIndex } from "../model/repository-index.ts";

export type ExtensionWish = {
  readonly name: string;
  /** A glob such as `v1.33.*` that the version must match: what the node's configuration declares. */
  readonly pattern: string;
  /** A version, instead of the newest. */
  readonly to?: string | undefined;
  /** The version that the node has merged, if any. */
  readonly running?: string | undefined;
  readonly allowDowngrade?: boolean | undefined;
  /** Versions that have failed on the node. */
  readonly failed: readonly string[];
  /** Also one of these. */
  readonly retry?: boolean | undefined;
};

/**
 * Which version of an extension the node shall have: `running` when that is right, or newer than what there is. Without
 * `to`, versions that were withdrawn or have failed are passed over.
 *
 * @throws AshlarError that says why not: `not-found` (name, version, none that matches), `invalid` (withdrawn, not as
 *   declared, older than the running one), `conflict` (what would be newer has failed on the node before)
 */
export function chooseExtension(index: RepositoryIndex, wish: ExtensionWish): string {
  return wish.to === undefined ? chooseNewest(index, wish) : checkGiven(index, wish, wish.to);
}

function checkGiven(index: RepositoryIndex, wish: ExtensionWish, to: string): string {
  if (to === wish.running) return to;
  const entry = findExtension(index, wish.name, to);
  if (!matchesVersion(to, wish.pattern)) {
    refuse(
      `${wish.name} ${to} does not match ${wish.pattern}, which the node's configuration declares`,
      "change the declaration",
    );
  }
  if (entry.withdrawn !== undefined) throw wasWithdrawn(entry, entry.withdrawn);
  expectNoDowngrade(entry, wish);
  if (wish.failed.includes(to) && wish.retry !== true) throw hasFailed(entry);
  return to;
}

function chooseNewest(index: RepositoryIndex, wish: ExtensionWish): string {
  const { name, pattern, running } = wish;
  const matching = extensionVersions(index, name).filter(({ version }) => matchesVersion(version, pattern));
  const offered = matching.filter(({ withdrawn }) => withdrawn === undefined);
  const [newest] = offered;
  const best = offered.find(({ version }) => wish.retry === true || !wish.failed.includes(version));
  const isNewer = (entry: ExtensionEntry | undefined): boolean =>
    entry !== undefined && (running === undefined || compareVersions(entry.version, running) > 0);
  if (isNewer(newest) && newest !== undefined && !isNewer(best)) throw hasFailed(newest);
  if (running !== undefined && matchesVersion(running, pattern) && !isNewer(best)) {
    return wish.allowDowngrade === true ? (best?.version ?? running) : running;
  }
  if (best === undefined) throw noneOffered(name, pattern, matching);
  expectNoDowngrade(best, wish);
  return best.version;
}

function expectNoDowngrade({ name, version }: ExtensionEntry, { running, allowDowngrade }: ExtensionWish): void {
  if (running === undefined || compareVersions(version, running) >= 0 || allowDowngrade === true) return;
  refuse(
    `${name} ${version} is older than ${running} (currently merged)`,
    "use --allow-downgrade if that is what you want",
  );
}

function noneOffered(name: string, pattern: string, matching: readonly ExtensionEntry[]): AshlarError {
  const [newest] = matching;
  if (newest?.withdrawn !== undefined) return wasWithdrawn(newest, newest.withdrawn);
  return new AshlarError("not-found", `the repository has no version of ${name} that matches ${pattern}`, {
    hint: "see `ashlar extension list`, or change the declaration",
  });
}

function wasWithdrawn({ name, version }: ExtensionEntry, { at, reason }: Withdrawal): AshlarError {
  return new AshlarError("invalid", `${name} ${version} was withdrawn at ${at}: ${reason}`);
}

function hasFailed({ name, version }: ExtensionEntry): AshlarError {
  return new AshlarError("conflict", `${name} ${version} has failed on this node before`, {
    hint: "look at why in the report of `ashlar update`; --retry tries it again",
  });
}

function refuse(message: string, hint: string): never {
  throw new AshlarError("invalid", message, { hint });
}
