import type { MeasuredEvent, Measurements } from "../check/check-logs.ts";
import type { Difference } from "../check/difference.ts";
import type { Expectations } from "../expected/expectations.ts";
import { digestsOfRelease, judgedDigest } from "../check/known-digests.ts";
import { judgePrograms, judgeSections } from "./judge-boot.ts";
import { secureBootState } from "./secure-boot-state.ts";
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
  measurements: Measurements,
  { release, alsoAllowed = [] }: Expectations,
  candidates: readonly KnownRelease[],
  accepted?: ReadonlySet<string>,
): FoundRelease {
  const right = [release, ...alsoAllowed];
  const known = [...right, ...candidates];
  const bootLoaders = new Set(known.map(({ bootLoader }) => bootLoader.authenticode));
  const secureBoot = secureBootState(measurements.events.get(7) ?? []).isOn === true;
  const judge = (each: KnownRelease): Difference[] => {
    // Whatever a release without these digests measures there, nothing says that it is this one.
    if (measurements.pcrs.sha256 === undefined && each.sha384 === undefined) return [withoutSha384(each)];
    const eventsOf = (pcr: number): readonly MeasuredEvent[] => eventsAs(each, known, measurements, pcr);
    return [
      ...judgePrograms(eventsOf(4), each, bootLoaders, secureBoot, accepted),
      ...judgeSections(eventsOf(11), each),
    ];
  };
  const running = known.find((each) => judge(each).length === 0);
  const isRight = running !== undefined && right.includes(running);
  return { running, isRight, differences: isRight ? [] : judge(release) };
}

/** A PCR's events by what they are if the node runs this release. */
export function eventsAs(
  release: KnownRelease,
  known: readonly KnownRelease[],
  { pcrs, events }: Measurements,
  pcr: number,
): readonly MeasuredEvent[] {
  const ofPcr = events.get(pcr) ?? [];
  // What an event is called depends on a manifest only where it has a SHA-384 digest.
  if (pcrs.sha384 === undefined) return ofPcr;
  const digests = digestsOfRelease(release, known);
  return ofPcr.map(({ source, banks, word, data }) => {
    return { source, digest: judgedDigest(banks, digests), banks, word, data };
  });
}

/** What is not judged, although the TPM has signed it. */
export function noteUnjudged({ pcrs }: Measurements, running: KnownRelease | undefined): string[] {
  if (running === undefined || running.sha384 !== undefined || pcrs.sha384 === undefined) return [];
  return [`release ${running.version} has no SHA-384 digests: its programs were judged by SHA-256 alone`];
}

function withoutSha384({ version }: KnownRelease): Difference {
  return {
    code: "release",
    what: "release",
    expected: `digests for the TPM's SHA-384 bank, the only one that is on, in the manifest of release ${version}`,
    found: "a manifest with SHA-256 alone (build the release again, or switch the TPM's SHA-256 bank on)",
  };
}
