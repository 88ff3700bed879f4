/**
 * Boot loader entries of type 2, unified kernel images in EFI/Linux of the ESP, and their counters (UAPI Group "Boot
 * Loader Specification", "Boot counting"): `ashlar_1.1.0+2-1.efi` has two tries left and has been tried once. The counter
 * is gone from the name once a boot was found good; an entry with no tries left is bad, and comes after all others.
 */
export type BootEntryName = {
  /** The file name without counters, for example ashlar_1.1.0.efi. */
  readonly id: string;
  readonly tries?: BootTries;
};

export type BootTries = { readonly left: number; readonly done: number };

/** What a new release gets, and one that is to be tried again. */
export const NEW_TRIES: BootTries = { left: 3, done: 0 };

/** Bad, without ever having failed: an operator has rolled it back. */
export const ROLLED_BACK_TRIES: BootTries = { left: 0, done: 0 };

/** systemd-boot's own: INT_MAX. */
const MAX_TRIES = 2 ** 31 - 1;
/** FAT's, in UTF-16 units. */
const MAX_NAME_CHARACTERS = 255;

/** The parts of a file name in EFI/Linux; undefined for what systemd-boot does not take for an entry. */
export function parseBootEntryName(fileName: string): BootEntryName | undefined {
  if (fileName.length > MAX_NAME_CHARACTERS || !/^(?!\.|auto-).*\.efi$/isu.test(fileName)) return undefined;
  const match = /^(?<stem>.*)\+(?<left>[0-9]{1,10})(?:-(?<done>[0-9]{1,10}))?(?<suffix>\.efi)$/isu.exec(fileName);
  const { stem, left, done = "0", suffix } = match?.groups ?? {};
  const tries = { left: Number(left), done: Number(done) };
  // A name with counters out of range, or without any, is an entry that nobody counts.
  if (stem === undefined || suffix === undefined || tries.left > MAX_TRIES || tries.done > MAX_TRIES) {
    return { id: fileName };
  }
  return { id: stem + suffix, tries };
}

/** The file name for an entry whose id ends in `.efi`. */
export function formatBootEntryName({ id, tries }: BootEntryName): string {
  if (tries === undefined) return id;
  const stemCharacters = id.length - ".efi".length;
  return `${id.slice(0, stemCharacters)}+${tries.left}-${tries.done}${id.slice(stemCharacters)}`;
}

/** The id of an Ashlar release's entry. */
export function bootEntryId(version: string): string {
  return `ashlar_${version}.efi`;
}

/** The version that an Ashlar release's entry names; undefined for any other id. */
export function bootEntryVersion(id: string): string | undefined {
  return /^ashlar_(?<version>[0-9A-Za-z][0-9A-Za-z.~^-]{0,63})\.efi$/u.exec(id)?.groups?.["version"];
}
