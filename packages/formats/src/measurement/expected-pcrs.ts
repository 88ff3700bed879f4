import { digestOf, hashSizeBytes, hexDigest, type HashName } from "../tpm/hash-algorithm.ts";

/** The words that systemd-pcrphase extends into PCR 11 on the way to a booted system, in order (systemd-pcrphase.service(8)). */
export const BOOT_PHASES = ["enter-initrd", "leave-initrd", "sysinit", "ready"] as const;
export type BootPhase = (typeof BOOT_PHASES)[number];

/** A PCR of the SHA-256 bank after a reset, in hexadecimal. */
export const ZERO_PCR: string = "00".repeat(32);

/** What firmware measures into PCR 4 around the programs it starts (TCG PC Client PFP, 3.3.4.5 and 10.4). */
export const CALLING_APPLICATION_TEXT = "Calling EFI Application from Boot Option";
export const RETURNING_FROM_APPLICATION_TEXT = "Returning from EFI Application from Boot Option";
/** Both that end a phase without an error: four bytes of zeros or of ones (PFP, 10.4.1, EV_SEPARATOR). */
export const SEPARATOR_DATA: readonly Uint8Array[] = [Buffer.alloc(4), Buffer.alloc(4, 0xff)];

/** Their SHA-256 digests. */
export const CALLING_APPLICATION: string = sha256(CALLING_APPLICATION_TEXT);
export const RETURNING_FROM_APPLICATION: string = sha256(RETURNING_FROM_APPLICATION_TEXT);
export const SEPARATOR: string = sha256(Buffer.alloc(4));
export const SEPARATORS: ReadonlySet<string> = new Set(SEPARATOR_DATA.map((data) => sha256(data)));

/**
 * PCR 4 after firmware without Secure Boot took its first boot option.
 *
 * @param programs Authenticode SHA-256 digests of systemd-boot, the UKI and the kernel inside it, in hexadecimal
 */
export function expectedPcr4(programs: {
  readonly bootLoader: string;
  readonly uki: string;
  readonly linux: string;
}): string {
  return extendAll([CALLING_APPLICATION, SEPARATOR, programs.bootLoader, programs.uki, programs.linux]);
}

/**
 * PCR 11 of a booted UKI.
 *
 * @param sections the measured sections in the order of measuring, with the SHA-256 of their data
 * @param phases the boot phases that have been reached
 */
export function expectedPcr11(
  sections: readonly { readonly name: string; readonly sha256: string }[],
  phases: readonly string[],
): string {
  return extendAll([...sectionDigests(sections), ...phases.map((phase) => wordDigest(phase))]);
}

/** The digests that systemd-stub extends: for each section its name with a final NUL, then its data (systemd-stub(7)). */
export function sectionDigests(sections: readonly { readonly name: string; readonly sha256: string }[]): string[] {
  return sections.flatMap(({ name, sha256: data }) => [sha256(`${name}\0`), data]);
}

/** What systemd-pcrextend extends for a word. */
export function wordDigest(word: string): string {
  return sha256(word);
}

/** The value of a PCR that starts at zero after extending it by each digest in turn, all in hexadecimal. */
export function extendAll(digests: readonly string[], bank: HashName = "sha256"): string {
  let value: Uint8Array = new Uint8Array(hashSizeBytes(bank));
  for (const digest of digests) value = digestOf(bank, value, Buffer.from(digest, "hex"));
  return Buffer.from(value).toString("hex");
}

/** {@link hexDigest} by SHA-384. */
export function sha384(bytes: Uint8Array | string): string {
  return hexDigest("sha384", bytes);
}

/** {@link hexDigest} by SHA-256. */
export function sha256(bytes: Uint8Array | string): string {
  return hexDigest("sha256", bytes);
}
