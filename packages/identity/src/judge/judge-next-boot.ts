import {
  ashlarEntry,
  bootEntryId,
  compareVersions,
  KEY_VARIABLES,
  LOADER_CONFIG,
  loaderConfigFor,
  parseBootEntryName,
  sortBootEntries,
  sha256,
  type BootEntry,
  type SecureBootEnrolment,
} from "@ashlar/formats";
import type { Difference } from "../check/difference.ts";
import { judgeSlot, type SlotState } from "./judge-slot.ts";
import type { KnownRelease } from "@ashlar/protocol/answers";
import {
  BOOT_LOADER_PATHS as LOADER_PATHS,
  ENROLMENT_PATHS,
  unfinishedLoader,
  type NextBootReport,
} from "@ashlar/protocol";

/**
 * What decides about a node's next boot, judged: `mismatch` when it would not be a known, undamaged release, `unknown` when
 * that cannot be told.
 */
export type JudgedNextBoot = {
  /** The release that starts next; null when it is none that is known. */
  readonly release: string | null;
  readonly level: "proven" | "mismatch" | "unknown";
  readonly differences: readonly Difference[];
  /** What systemd-boot starts once the tries of the next release are used up; null when there is nothing known. */
  readonly fallback: Fallback | null;
  /** What is worth knowing although it is right: whose systemd-boot is there, when it is not the next release's. */
  readonly notes: readonly string[];
};

export type Fallback = { readonly release: string; readonly state: SlotState };

export type NextBootContext = {
  /** The releases that are known. What a node starts next must be one of them. */
  readonly releases: readonly KnownRelease[];
  /** The release that the node's quote proves to run; undefined when that is none that is known. */
  readonly running: KnownRelease | undefined;
};

/** Judges what a node reports about its next boot. Who made the report is for the caller to find out. */
export function judgeNextBoot(report: NextBootReport, { releases, running }: NextBootContext): JudgedNextBoot {
  const entries = sortBootEntries(findEntries(report, releases));
  const [first] = entries;
  const wrong = [
    ...judgeLoader(report, releases),
    ...judgeUnexpectedFiles(report, releases),
    ...(first === undefined ? [NO_ENTRY] : []),
  ];
  const unclear: Difference[] = [];
  for (const entry of entries) {
    const difference = judgeEntry(entry, releases);
    // An old release that is not known is no danger, unless it lies about its place in the order.
    const isOldStranger = entry !== first && entry.release === undefined && !isVersionOf(entry.version, releases);
    if (difference !== undefined) (isOldStranger ? unclear : wrong).push(difference);
  }
  const next = first?.release;
  if (next !== undefined) {
    const { state, differences } = judgeSlot(next, report.slots);
    if (state === "damaged") wrong.push(...differences);
    // What runs from this very slot is as proven as its next boot: dm-verity checks a block when it is read.
    else if (next.usr.rootHash !== running?.usr.rootHash) unclear.push(...differences);
  }
  return {
    release: next?.version ?? null,
    level: wrong.length > 0 ? "mismatch" : unclear.length > 0 ? "unknown" : "proven",
    differences: [...wrong, ...unclear].slice(0, MAX_DIFFERENCES),
    fallback: findFallback(entries, report),
    notes: next === undefined ? [] : noteLoaders(report, next, releases),
  };
}

/** A hostile report may name hundreds. */
const MAX_DIFFERENCES = 16;

const NO_ENTRY: Difference = {
  code: "boot-entry",
  what: "boot entry",
  expected: "one of a known release",
  found: "none",
};

/** A UKI on the ESP. What is known by its digest counts with what is in it, anything else by its name. */
type Entry = BootEntry & { readonly sha256: string; readonly release: KnownRelease | undefined };

const ENTRY_DIRECTORY = "efi/linux/";

function findEntries({ espFiles }: NextBootReport, releases: readonly KnownRelease[]): Entry[] {
  return espFiles.flatMap((file): Entry[] => {
    const fileName = entryFileName(file.path);
    const named = fileName === undefined ? undefined : ashlarEntry(fileName);
    if (named === undefined) return [];
    const release = releases.find(({ uki }) => uki.sha256 === file.sha256);
    return [{ ...named, version: release?.version ?? named.version, sha256: file.sha256, release }];
  });
}

/** The name of a file directly in EFI/Linux. */
function entryFileName(path: string): string | undefined {
  if (!path.toLowerCase().startsWith(ENTRY_DIRECTORY)) return undefined;
  const name = path.slice(ENTRY_DIRECTORY.length);
  return name.includes("/") ? undefined : name;
}

function judgeEntry(
  { fileName, version, sha256: found, release }: Entry,
  known: readonly KnownRelease[],
): Difference | undefined {
  const what = `boot entry EFI/Linux/${fileName}`;
  if (release === undefined) {
    const namesake = known.find((each) => each.version === version);
    const expected = namesake === undefined ? "of a known release" : `sha256 ${namesake.uki.sha256}`;
    return { code: "boot-entry", subject: fileName, what, expected, found: `sha256 ${found}` };
  }
  const id = parseBootEntryName(fileName)?.id;
  if (id === bootEntryId(version)) return undefined;
  return { code: "boot-entry", subject: fileName, what, expected: "the release in its name", found: version };
}

function isVersionOf(version: string, releases: readonly KnownRelease[]): boolean {
  return releases.some((release) => release.version === version);
}

const LOADER_CONFIG_PATH = "loader/loader.conf";

/** systemd-boot of any known release, since a release brings its own only after it was found healthy; its settings exactly ours. */
function judgeLoader(report: NextBootReport, releases: readonly KnownRelease[]): Difference[] {
  const found = (path: string): string | undefined => digestOf(report, path);
  const differences: Difference[] = [];
  for (const path of LOADER_PATHS) {
    const digest = found(path);
    if (releases.some(({ bootLoader }) => bootLoader.sha256 === digest)) continue;
    const expected = "systemd-boot of a known release";
    differences.push({ code: "boot-loader", subject: path, what: path, expected, found: describeFile(digest) });
  }
  if (!isOurConfig(report, found(LOADER_CONFIG_PATH), releases)) {
    const text = JSON.stringify(report.loaderConfig.slice(0, MAX_SHOWN_CHARACTERS));
    const [what, expected] = [LOADER_CONFIG_PATH, JSON.stringify(LOADER_CONFIG)];
    differences.push({ code: "boot-loader-settings", what, expected, found: text });
  }
  for (const [name, value] of Object.entries(report.loaderVariables)) {
    const what = `EFI variable ${name}`;
    differences.push({
      code: "firmware-variable",
      subject: name,
      what,
      expected: "none",
      found: JSON.stringify(value),
    });
  }
  return differences;
}

/** The file is the report's text, and that is ours. To enrol the owner's keys on any machine is for an owner to want who has some. */
function isOurConfig(
  { loaderConfig }: NextBootReport,
  digest: string | undefined,
  releases: readonly KnownRelease[],
): boolean {
  const enrolments: readonly SecureBootEnrolment[] = releases.some(({ secureBoot }) => secureBoot !== undefined)
    ? ["if-safe", "force"]
    : ["if-safe"];
  return digest === sha256(loaderConfig) && enrolments.some((each) => loaderConfigFor(each) === loaderConfig);
}

function digestOf({ espFiles }: NextBootReport, path: string): string | undefined {
  return espFiles.find((file) => file.path.toLowerCase() === path.toLowerCase())?.sha256;
}

/** Names systemd-boot of another known release than the next one. */
function noteLoaders(report: NextBootReport, next: KnownRelease, releases: readonly KnownRelease[]): string[] {
  const notes = LOADER_PATHS.flatMap((path) => {
    const digest = digestOf(report, path);
    if (digest === next.bootLoader.sha256) return [];
    const owners = releases.filter(({ bootLoader }) => bootLoader.sha256 === digest).map(({ version }) => version);
    const newest = owners.toSorted(compareVersions).at(-1);
    if (newest === undefined) return [];
    const names = [...new Set(owners)].join(", ");
    return [
      compareVersions(newest, next.version) < 0
        ? `systemd-boot on the ESP is that of ${names}; ${next.version} puts its own in place once it was found healthy`
        : `systemd-boot on the ESP is that of ${names}, and stays when ${next.version} runs`,
    ];
  });
  return [...new Set(notes)];
}

const MAX_SHOWN_CHARACTERS = 200;

function describeFile(digest: string | undefined): string {
  return digest === undefined ? "no such file" : `sha256 ${digest}`;
}

/** Other entries, drivers, add-ons, credentials, keys to enrol: systemd-boot and systemd-stub would take them up. */
function judgeUnexpectedFiles({ espFiles }: NextBootReport, releases: readonly KnownRelease[]): Difference[] {
  const expected = new Set([...LOADER_PATHS, LOADER_CONFIG_PATH].map((path) => path.toLowerCase()));
  return espFiles
    .filter(({ path }) => !expected.has(path.toLowerCase()) && !isEntryOrHidden(path) && !isUnfinishedLoader(path))
    .filter((file) => !isEnrolment(file, releases))
    .map((file) => ({
      code: "esp-file",
      subject: file.path,
      what: `file ${file.path} on the ESP`,
      expected: describeFile(undefined),
      found: describeFile(file.sha256),
    }));
}

/** What enrols the keys of a known release. Any other would let its owner's programs start. */
function isEnrolment(
  { path, sha256: found }: NextBootReport["espFiles"][number],
  releases: readonly KnownRelease[],
): boolean {
  const name = KEY_VARIABLES.find((each) => ENROLMENT_PATHS[each].toLowerCase() === path.toLowerCase());
  return name !== undefined && releases.some(({ secureBoot }) => secureBoot?.[name].variableSha256 === found);
}

/** systemd-boot passes over files whose name begins with a dot: an installation that was cut short leaves one. */
function isEntryOrHidden(path: string): boolean {
  const name = entryFileName(path);
  return name !== undefined && (name.startsWith(".") || ashlarEntry(name) !== undefined);
}

/** What the node was writing when its power went: the name is nobody's to start, and is removed in the next boot. */
function isUnfinishedLoader(path: string): boolean {
  return LOADER_PATHS.some((each) => path.toLowerCase() === unfinishedLoader(each).toLowerCase());
}

function findFallback([first, ...others]: readonly Entry[], { slots }: NextBootReport): Fallback | null {
  const entry = others.find(({ fileName, release }) => {
    const isBad = parseBootEntryName(fileName)?.tries?.left === 0;
    return !isBad && release !== undefined && release !== first?.release;
  });
  if (entry?.release === undefined) return null;
  return { release: entry.release.version, state: judgeSlot(entry.release, slots).state };
}
