import {
  bootEntryId,
  bootEntryVersion,
  formatBootEntryName,
  NEW_TRIES,
  parseBootEntryName,
  ROLLED_BACK_TRIES,
  type BootEntryName,
} from "./boot-entry.ts";
import { compareVersions } from "./compare-versions.ts";

/** A type 2 entry as systemd-boot sees it. */
export type BootEntry = {
  readonly fileName: string;
  /** IMAGE_ID of the os-release in the UKI. */
  readonly sortKey: string;
  /** IMAGE_VERSION of the os-release in the UKI. */
  readonly version: string;
};

/**
 * Which entry systemd-boot 257 starts, when neither loader.conf nor an EFI variable names one: bad entries last, then
 * sort key, newest version, newest file name, most tries left, fewest done (UAPI Group "Boot Loader Specification",
 * "Sorting"; systemd-boot(7)). When all are bad it still starts the first of them. Undefined when there is none.
 */
export function chooseBootEntry<Entry extends BootEntry>(entries: readonly Entry[]): Entry | undefined {
  return sortBootEntries(entries)[0];
}

/** All entries in the order in which systemd-boot prefers them; files that it does not take for entries are left out. */
export function sortBootEntries<Entry extends BootEntry>(entries: readonly Entry[]): Entry[] {
  return entries
    .flatMap((entry) => {
      const name = parseBootEntryName(entry.fileName);
      return name === undefined ? [] : [{ entry, name }];
    })
    .toSorted(comparePreference)
    .map(({ entry }) => entry);
}

type Named = { readonly entry: BootEntry; readonly name: BootEntryName };

function comparePreference(a: Named, b: Named): number {
  return (
    Number(isBad(a.name)) - Number(isBad(b.name)) ||
    compareTexts(a.entry.sortKey, b.entry.sortKey) ||
    compareVersions(b.entry.version, a.entry.version) ||
    compareVersions(b.name.id.toLowerCase(), a.name.id.toLowerCase()) ||
    compareTries(a.name, b.name)
  );
}

function compareTries({ tries: a }: BootEntryName, { tries: b }: BootEntryName): number {
  return a === undefined || b === undefined ? 0 : b.left - a.left || a.done - b.done;
}

function isBad({ tries }: BootEntryName): boolean {
  return tries?.left === 0;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

export type Rename = { readonly from: string; readonly to: string };

/**
 * The renames in EFI/Linux after which systemd-boot starts `version` first, in this order: whatever power cut comes in
 * between, an entry that is not bad stays. A bad entry of the version gets new tries; entries that would come before it
 * become bad, and stay. None when it comes first already. Undefined when there is no entry of that version.
 *
 * Only Ashlar's own names are understood, as they are all that there should be: `ashlar_VERSION.efi` with counters.
 */
export function renamesToBoot(version: string, fileNames: readonly string[]): Rename[] | undefined {
  const entries = fileNames.flatMap((fileName) => ashlarEntry(fileName) ?? []);
  const wanted = sortBootEntries(entries).find((entry) => entry.version === version);
  if (wanted === undefined) return undefined;
  const name = parseBootEntryName(wanted.fileName);
  const retried = name !== undefined && isBad(name) ? renameTo(wanted, NEW_TRIES) : undefined;
  const others = entries.filter((entry) => entry !== wanted);
  const sorted = sortBootEntries([...others, { ...wanted, fileName: retried?.to ?? wanted.fileName }]);
  const before = sorted.slice(
    0,
    sorted.findIndex((entry) => entry.version === version),
  );
  return [...(retried === undefined ? [] : [retried]), ...before.map((entry) => renameTo(entry, ROLLED_BACK_TRIES))];
}

/** A file of EFI/Linux as an entry of an Ashlar release, going by its name; undefined for any other file. */
export function ashlarEntry(fileName: string): BootEntry | undefined {
  const version = bootEntryVersion(parseBootEntryName(fileName)?.id ?? "");
  return version === undefined ? undefined : { fileName, sortKey: "ashlar", version };
}

function renameTo({ fileName, version }: BootEntry, tries: NonNullable<BootEntryName["tries"]>): Rename {
  return { from: fileName, to: formatBootEntryName({ id: bootEntryId(version), tries }) };
}
