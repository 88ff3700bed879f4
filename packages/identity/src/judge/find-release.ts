import type { Measurements } from "../check/check-logs.ts";
import type { Difference } from "../check/difference.ts";
import type { Expectations } from "../expected/expectations.ts";
import { judgePrograms, judgeSections } from "./judge-boot.ts";
import type { KnownRelease } from "@ashlar/protocol/answers";

/** Which release a node has measured. */
export type FoundRelease = {
  /** Undefined when it is none that is known. */
  readonly running: KnownRelease | undefined;
  /** It is the declared one, or one that is right as well. */
  readonly isRight: boolean;
  /** How PCRs 4 and 11 differ from the declared one; nothing when it is right. */
  readonly differences: readonly Difference[];
};

/**
 * Finds the release that a node runs by its UKI and kernel. What has started them may be systemd-boot of any known
 * release (see `judgePrograms`).
 *
 * @param accepted digests of programs that the operator has accepted before systemd-boot
 */
export function findRelease(
  { events }: Measurements,
  { release, alsoAllowed = [] }: Expectations,
  candidates: readonly KnownRelease[],
  accepted?: ReadonlySet<string>,
): FoundRelease {
  const right = [release, ...alsoAllowed];
  const known = [...right, ...candidates];
  const bootLoaders = new Set(known.map(({ bootLoader }) => bootLoader.authenticode));
  const judge = (each: KnownRelease): Difference[] => [
    ...judgePrograms(events.get(4) ?? [], each, bootLoaders, accepted),
    ...judgeSections(events.get(11) ?? [], each),
  ];
  const running = known.find((each) => judge(each).length === 0);
  const isRight = running !== undefined && right.includes(running);
  return { running, isRight, differences: isRight ? [] : judge(release) };
}
