import {
  BOOT_PHASES,
  CALLING_APPLICATION_TEXT,
  MEASURED_UKI_SECTIONS,
  RETURNING_FROM_APPLICATION_TEXT,
  SEPARATOR_DATA,
  sha256,
  sha384,
} from "@ashlar/formats";
import type { PcrBank } from "@ashlar/protocol";
import type { KnownRelease } from "@ashlar/protocol/answers";

/** What one event has extended, in hexadecimal, by bank; only banks that the quote covers. */
export type BankDigests = { readonly [Bank in PcrBank]?: string };

/**
 * SHA-384 by SHA-256, both in hexadecimal, of what has a meaning in a verdict. All rules name things by their SHA-256: one set
 * of rules, and one identity, whichever banks a TPM has.
 */
export type KnownDigests = ReadonlyMap<string, string>;

/** What means the same in every verdict. */
export const COMMON_DIGESTS: KnownDigests = digestsOf([
  ...SEPARATOR_DATA,
  CALLING_APPLICATION_TEXT,
  RETURNING_FROM_APPLICATION_TEXT,
  ...BOOT_PHASES,
  ...MEASURED_UKI_SECTIONS.map((name) => `${name}\0`),
]);

export function digestsOf(contents: readonly (Uint8Array | string)[]): Map<string, string> {
  return new Map(contents.map((content) => [sha256(content), sha384(content)]));
}

/**
 * The programs and sections of one release, for judging this one: another release's manifest says nothing about them. Only
 * systemd-boot may be that of another one, as where there is SHA-256 alone.
 *
 * @param known all whose systemd-boot may have started it
 */
export function digestsOfRelease(release: KnownRelease, known: readonly KnownRelease[]): KnownDigests {
  const { uki, sha384: other } = release;
  const digests = new Map(COMMON_DIGESTS);
  for (const { bootLoader, sha384: loaders } of [...known, release]) {
    if (loaders !== undefined) digests.set(bootLoader.authenticode, loaders.bootLoader);
  }
  if (other === undefined) return digests;
  digests.set(uki.authenticode, other.uki).set(uki.linuxAuthenticode, other.linux);
  for (const [index, section] of uki.sections.entries()) {
    const same = other.sections[index];
    if (same !== undefined) digests.set(section.sha256, same.sha384);
  }
  return digests;
}

/**
 * What rules call an event: its SHA-256 digest. Without a SHA-256 bank the one that is known to belong to its SHA-384 digest;
 * with both banks only when they agree, as far as that is known. Otherwise its SHA-384 digest, which no rule expects: 96 digits
 * are never 64.
 */
export function judgedDigest({ sha256: one, sha384: other }: BankDigests, known: KnownDigests): string {
  if (other === undefined) return one ?? "";
  if (one !== undefined) {
    const belongs = known.get(one);
    return belongs === undefined || belongs === other ? one : other;
  }
  for (const [digest, each] of known) if (each === other) return digest;
  return other;
}

/** The bank that a digest or a value is of, by its length; undefined when it is neither's. */
export function bankOf(hex: string): PcrBank | undefined {
  return hex.length === 96 ? "sha384" : hex.length === 64 ? "sha256" : undefined;
}

/** A digest for a message: which hash it is of is said where it is not the usual one. */
export function shownDigest(hex: string): string {
  return bankOf(hex) === "sha384" ? `SHA-384 ${hex}` : hex;
}
