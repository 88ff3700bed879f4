import { MEASURED_UKI_SECTIONS, SEPARATORS, sha256 } from "@ashlar/formats";
import type { MeasuredEvent } from "../check/check-logs.ts";
import { compareMeasured, type Expected, type Measured } from "./compare-measured.ts";
import type { Difference } from "../check/difference.ts";
import type { PinnedFirmware } from "./judge-firmware.ts";
import { bankOf, shownDigest } from "../check/known-digests.ts";
import { findHandOver, firmwareStep, HOW_TO_ACCEPT, PROGRAMS_PCR } from "./hand-over.ts";
import type { KnownRelease } from "@ashlar/protocol/answers";

/**
 * PCR 4, judged by its grammar since firmware may try boot options in vain: up to the separator programs of the firmware
 * itself (see `judgeFirmware`), then its actions, systemd-boot, the UKI and its kernel, then nothing.
 *
 * @param bootLoaders Authenticode digests of systemd-boot in all known releases: a release brings its own only after it
 *   was found healthy, and one that was rolled back keeps the newer, so that it may be older than what it starts, or newer
 * @param hasSecureBoot then systemd-stub starts the kernel without the firmware, which does not measure it as a file of its own; it
 *   is part of the UKI
 * @param accepted digests of programs that the operator has accepted between the separator and systemd-boot
 */
export function judgePrograms(
  events: readonly MeasuredEvent[],
  release: KnownRelease,
  bootLoaders: ReadonlySet<string>,
  hasSecureBoot: boolean,
  accepted: ReadonlySet<string> = new Set<string>(),
): Difference[] {
  const handOver = findHandOver(PROGRAMS_PCR, events);
  const programs = bootPrograms(handOver?.after ?? events, accepted);
  const at = programs.findIndex(({ digest }) => bootLoaders.has(digest));
  const bootLoader = programs[at]?.digest ?? release.bootLoader.authenticode;
  const expected: Expected[] = [
    program("systemd-boot", bootLoader),
    program("unified kernel image", release.uki.authenticode),
  ];
  const kernel = program("kernel in the unified kernel image", release.uki.linuxAuthenticode);
  if (!hasSecureBoot || programs.some(({ digest }) => digest === kernel.digest)) expected.push(kernel);
  const measured = programs.map((event, index) => (index < at ? describeEarlier(event) : describeStep(event)));
  const differences = compareMeasured(4, "boot-program", "program", expected, measured);
  if (handOver === undefined) {
    differences.push({
      code: "firmware-handover",
      subject: "4",
      what: "PCR 4, separators before the boot loader",
      expected: "1",
      found: "0",
    });
  }
  return differences;
}

/** From the first program that is not the firmware's, or accepted, on. */
function bootPrograms(events: readonly MeasuredEvent[], accepted: ReadonlySet<string>): readonly MeasuredEvent[] {
  const first = events.findIndex(
    (event) => !accepted.has(event.digest) && (SEPARATORS.has(event.digest) || firmwareStep(event) === undefined),
  );
  return first === -1 ? [] : events.slice(first);
}

/**
 * Names systemd-boot of another release than the one that it has started: no difference, since a release boots with the
 * one before it first, but whoever trusts the node should know how old it is.
 */
export function noteBootLoader(
  events: readonly MeasuredEvent[],
  running: KnownRelease,
  known: readonly KnownRelease[],
  { accepted }: Pick<PinnedFirmware, "accepted">,
): string[] {
  const [first] = bootPrograms(findHandOver(PROGRAMS_PCR, events)?.after ?? [], new Set(accepted));
  const { version, bootLoader } = running;
  if (first === undefined || first.digest === bootLoader.authenticode) return [];
  const owners = known.filter((each) => each.bootLoader.authenticode === first.digest).map((each) => each.version);
  return [`systemd-boot is that of ${[...new Set(owners)].join(", ")}; ${version} has another one`];
}

function program(label: string, digest: string): Expected {
  return { code: "boot-program", subject: label, label, digest, shown: `Authenticode ${digest}` };
}

function describeStep(event: MeasuredEvent): Measured {
  const step = firmwareStep(event);
  return { label: step, digest: event.digest, shown: step ?? `Authenticode ${shownDigest(event.digest)}` };
}

/** Some firmware starts its own programs as late as this, such as a maker's agent against theft. */
function describeEarlier(event: MeasuredEvent): Measured {
  const step = describeStep(event);
  return step.label === undefined ? { ...step, shown: `${step.shown} (${HOW_TO_ACCEPT})` } : step;
}

/** The sections of the UKI in PCR 11: everything there that was measured before the kernel ran. */
export function judgeSections(events: readonly MeasuredEvent[], release: KnownRelease): Difference[] {
  const expected = release.uki.sections.map(({ name, sha256: digest }): Expected => sectionItem(name, digest));
  return compareMeasured(11, "uki-section", "UKI section", expected, measuredSections(events));
}

/** The digest of a section's data, when exactly one section of that name was measured. */
export function measuredSection(events: readonly MeasuredEvent[], name: string): string | undefined {
  const [only, ...more] = measuredPairs(events).filter(({ nameDigest }) => nameDigest === sha256(`${name}\0`));
  return more.length === 0 ? only?.dataDigest : undefined;
}

function measuredSections(events: readonly MeasuredEvent[]): Measured[] {
  return measuredPairs(events).map(({ nameDigest, dataDigest }) => {
    const name = SECTION_NAMES.get(nameDigest);
    if (name !== undefined) return sectionItem(name, dataDigest);
    return {
      label: undefined,
      digest: `${nameDigest} ${dataDigest}`,
      shown: `an unknown section, ${shownSection(dataDigest)}`,
    };
  });
}

/** Name and data make one item: the same data under another name is another section. */
function sectionItem(name: string, dataSha256: string): Expected {
  return {
    code: "uki-section",
    subject: name,
    label: `UKI section ${name}`,
    digest: `${sha256(`${name}\0`)} ${dataSha256}`,
    shown: shownSection(dataSha256),
  };
}

function shownSection(dataDigest: string): string {
  return bankOf(dataDigest) === "sha384" ? `sha384 ${dataDigest}` : `sha256 ${dataDigest}`;
}

const SECTION_NAMES: ReadonlyMap<string, string> = new Map(
  MEASURED_UKI_SECTIONS.map((name) => [sha256(`${name}\0`), name]),
);

type Pair = { readonly nameDigest: string; readonly dataDigest: string };

/** systemd-stub extends two digests for each section: of its name, then of its data (systemd-stub(7)). */
function measuredPairs(events: readonly MeasuredEvent[]): Pair[] {
  const digests = events.filter(({ source }) => source === "firmware").map(({ digest }) => digest);
  const pairs: Pair[] = [];
  for (let index = 0; index < digests.length; index += 2) {
    pairs.push({ nameDigest: digests[index] ?? "", dataDigest: digests[index + 1] ?? "" });
  }
  return pairs;
}
