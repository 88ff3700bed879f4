import { compareVersions } from "@ashlar/formats";
import type { DeclaredExtension } from "@ashlar/declaration";
import { matchesVersion, parseImagePath } from "@ashlar/protocol";
import { type ComponentStates, declarationKey } from "../extensions/component-state.ts";

/**
 * The versions of a declared extension that may be merged, the best first: of those in the store, the first whose image
 * is good is taken.
 *
 * What was decided for this very declaration counts: a trial of this boot, then the current version, then the one
 * before. Otherwise a link names the version to begin with, and after it the newer a version the better. A version that
 * was given up comes only when nothing else is there, one whose trial a reboot has ended not at all.
 *
 * @param stored the versions of which there is an image
 */
export function chooseCandidates(
  extension: DeclaredExtension,
  stored: readonly string[],
  { components, failures }: ComponentStates,
  bootId: string,
): readonly string[] {
  const { name, pattern, source } = extension;
  const known = components[name]?.declaration === declarationKey(extension) ? components[name] : undefined;
  const trial = known?.trial ?? undefined;
  const isOver = trial !== undefined && trial.bootId !== bootId;
  const linked = source.type === "file" ? parseImagePath(source.path)?.version : undefined;
  const decided = known === undefined ? [linked] : [isOver ? undefined : trial?.version, known.current, known.former];
  const failed = new Set(failures.flatMap((failure) => (failure.name === name ? [failure.version] : [])));
  const right = stored
    .filter((version) => matchesVersion(version, pattern) && !(isOver && version === trial.version))
    .toSorted((a, b) => Number(failed.has(a)) - Number(failed.has(b)) || compareVersions(b, a));
  const first = decided.filter((version) => version !== undefined && version !== null && right.includes(version));
  return [...new Set([...first, ...right])].filter((version) => version !== null && version !== undefined);
}
