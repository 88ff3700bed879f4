import {
  MEASURED_UKI_SECTIONS,
  CALLING_APPLICATION,
  RETURNING_FROM_APPLICATION,
  SEPARATOR,
  sha256,
} from "@ashlar/formats";
import type { MeasuredEvent } from "../check/check-logs.ts";
import { compareMeasured, type Expected, type Measured } from "./compare-measured.ts";
import type { Difference } from "../check/difference.ts";
import type { KnownRelease } from "@ashlar/protocol/answers";

/**
 * PCR 4, judged by its grammar since firmware may try boot options in vain: first only its own actions and exactly one
 * separator, then systemd-boot, the UKI and its kernel, then nothing.
 *
 * @param bootLoaders Authenticode digests of systemd-boot in all known releases: an update leaves the one on the ESP
 *   alone, so that it may be older than the release that it starts, or newer
 */
export function judgePrograms(
  events: readonly MeasuredEvent[],
  release: KnownRelease,
  bootLoaders: ReadonlySet<string>,
): Difference[] {
  const digests = events.map(({ digest }) => digest);
  const firstProgram = digests.findIndex((digest) => !FIRMWARE_STEPS.has(digest));
  const steps = firstProgram === -1 ? digests : digests.slice(0, firstProgram);
  const programs = firstProgram === -1 ? [] : digests.slice(firstProgram);
  const [first] = programs;
  const bootLoader = first !== undefined && bootLoaders.has(first) ? first : release.bootLoader.authenticode;
  const expected: Expected[] = [
    program("systemd-boot", bootLoader),
    program("unified kernel image", release.uki.authenticode),
    program("kernel in the unified kernel image", release.uki.linuxAuthenticode),
  ];
  const differences = compareMeasured(4, "boot-program", "program", expected, programs.map(describeStep));
  const separators = steps.filter((digest) => digest === SEPARATOR).length;
  if (separators !== 1) {
    differences.push({
      code: "firmware-handover",
      subject: "4",
      what: "PCR 4, separators before the boot loader",
      expected: "1",
      found: String(separators),
    });
  }
  return differences;
}

/**
 * Names systemd-boot of another release than the one that it has started: no difference, since updates leave it alone, but
 * whoever trusts the node should know how old it is.
 */
export function noteBootLoader(
  events: readonly MeasuredEvent[],
  running: KnownRelease,
  known: readonly KnownRelease[],
): string[] {
  const first = events.find(({ digest }) => !FIRMWARE_STEPS.has(digest));
  const { version, bootLoader } = running;
  if (first === undefined || first.digest === bootLoader.authenticode) return [];
  const owners = known.filter((each) => each.bootLoader.authenticode === first.digest).map((each) => each.version);
  return [`systemd-boot is that of ${[...new Set(owners)].join(", ")}; ${version} has another one`];
}

const FIRMWARE_STEPS: ReadonlyMap<string, string> = new Map([
  [CALLING_APPLICATION, "the action that calls a boot option"],
  [RETURNING_FROM_APPLICATION, "the action after a boot option has returned"],
  [SEPARATOR, "a separator"],
]);

function program(label: string, digest: string): Expected {
  return { code: "boot-program", subject: label, label, digest, shown: `Authenticode ${digest}` };
}

function describeStep(digest: string): Measured {
  const step = FIRMWARE_STEPS.get(digest);
  return { label: step, digest, shown: step ?? `Authenticode ${digest}` };
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
      shown: `an unknown section, sha256 ${dataDigest}`,
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
    shown: `sha256 ${dataSha256}`,
  };
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
