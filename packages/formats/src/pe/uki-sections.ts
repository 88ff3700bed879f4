import { AshlarError } from "@ashlar/base";
import { parsePe, type PeSection } from "./parse-pe.ts";

/** One section of a unified kernel image with the bytes that systemd-stub measures. */
export type UkiSection = { readonly name: string; readonly data: Uint8Array };

/**
 * The sections that systemd-stub 257 measures into PCR 11, in its order (UAPI Group "Unified Kernel Image (UKI)",
 * systemd-stub(7)). `.pcrsig` is never measured: it holds signatures over the result.
 */
export const MEASURED_UKI_SECTIONS = [
  ".linux",
  ".osrel",
  ".cmdline",
  ".initrd",
  ".ucode",
  ".splash",
  ".dtb",
  ".uname",
  ".sbat",
  ".pcrpkey",
  ".profile",
  ".dtbauto",
  ".hwids",
] as const;

/** Real images have none to a few bytes of zero fill; a header alone must not make us allocate gigabytes. */
const MAX_ZERO_FILL_BYTES = 16 * 1024 * 1024;

/**
 * The sections of a unified kernel image that are measured, in the order of measuring. Data is `VirtualSize` bytes: what
 * the file has of them, then zeros. Sections held whole by the file are views of `bytes`, not copies.
 *
 * @throws AshlarError `malformed` or `limit` for a bad PE file, `invalid` when it is not a UKI of one profile
 */
export function ukiSections(bytes: Uint8Array): UkiSection[] {
  const found = new Map<string, PeSection>();
  for (const section of parsePe(bytes).sections) {
    if (!isMeasured(section.name)) continue;
    if (found.has(section.name)) {
      throw new AshlarError("invalid", `unified kernel image: expected one section ${section.name}, found several`, {
        hint: "build the image with a single profile",
      });
    }
    found.set(section.name, section);
  }
  if (!found.has(".linux")) {
    throw new AshlarError("invalid", "unified kernel image: expected a section .linux, found none");
  }
  const ordered = MEASURED_UKI_SECTIONS.flatMap((name) => found.get(name) ?? []);
  const zeroFill = ordered.reduce((sum, section) => sum + Math.max(0, section.virtualSize - section.rawSize), 0);
  if (zeroFill > MAX_ZERO_FILL_BYTES) {
    throw new AshlarError(
      "limit",
      `unified kernel image: expected at most ${MAX_ZERO_FILL_BYTES} bytes of zero fill, found ${zeroFill}`,
    );
  }
  return ordered.map((section) => ({ name: section.name, data: dataOf(bytes, section) }));
}

function isMeasured(name: string): boolean {
  return (MEASURED_UKI_SECTIONS as readonly string[]).includes(name);
}

function dataOf(bytes: Uint8Array, { rawOffset, rawSize, virtualSize }: PeSection): Uint8Array {
  const inFile = bytes.subarray(rawOffset, rawOffset + Math.min(rawSize, virtualSize));
  if (inFile.length === virtualSize) return inFile;
  const data = new Uint8Array(virtualSize);
  data.set(inFile);
  return data;
}
