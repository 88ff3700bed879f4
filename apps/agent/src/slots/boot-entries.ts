import { open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ashlarEntry, type BootEntry, parseBootEntryName, type Rename } from "@ashlar/formats";
import { syncDirectory } from "../shared/state-file.ts";

/** Where systemd-boot looks for unified kernel images, from the ESP's root. */
export const ENTRY_DIRECTORY = "EFI/Linux";

/** The entries of Ashlar releases on the ESP. */
export async function listBootEntries(esp: string): Promise<BootEntry[]> {
  const names = await readdir(join(esp, ENTRY_DIRECTORY));
  return names.toSorted().flatMap((name) => ashlarEntry(name) ?? []);
}

/**
 * One after the other, each on the disk before the next.
 *
 * Linux gives a new name on a FAT file system to an empty entry first, and fills it in when the file itself is written
 * (fs/fat/namei_vfat.c): the file comes before its directory, or a power cut in between leaves no UKI under either name.
 */
export async function renameBootEntries(esp: string, renames: readonly Rename[]): Promise<void> {
  const directory = join(esp, ENTRY_DIRECTORY);
  for (const { from, to } of renames) {
    await using file = await open(join(directory, from), "r");
    await rename(join(directory, from), join(directory, to));
    await file.sync();
    await syncDirectory(directory);
  }
}

/** Removes a release's entries, with or without counters: it does not boot any more. */
export async function removeBootEntries(esp: string, version: string): Promise<void> {
  const directory = join(esp, ENTRY_DIRECTORY);
  for (const entry of await listBootEntries(esp)) {
    if (entry.version !== version) continue;
    await rm(join(directory, entry.fileName));
    await syncDirectory(directory);
  }
}

/** How often the entry was tried and is to be tried; undefined once it was found good. */
export function triesOf(entry: BootEntry): { readonly left: number; readonly done: number } | undefined {
  return parseBootEntryName(entry.fileName)?.tries;
}
