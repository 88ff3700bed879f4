import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isMissing } from "@ashlar/host";

/** The vendor GUID of systemd-boot's variables (the Boot Loader Interface, systemd.io). */
const LOADER_VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/** efivarfs puts the variable's attributes before its value (kernel documentation "efivarfs"). */
const ATTRIBUTE_BYTES = 4;
const MAX_VALUE_BYTES = 4096;

/** The text of one of systemd-boot's variables (UTF-16, ends at the first NUL); undefined when it is not set. */
export async function readLoaderVariable(efiVariables: string, name: string): Promise<string | undefined> {
  const value = await readVariable(efiVariables, `${name}-${LOADER_VENDOR}`);
  return value?.toString("utf16le").split("\0", 1)[0];
}

/** The beginning of a variable's value; undefined when it is not set. */
export async function readVariable(
  efiVariables: string,
  file: string,
  maxBytes: number = MAX_VALUE_BYTES,
): Promise<Buffer | undefined> {
  try {
    return (await readFile(join(efiVariables, file))).subarray(ATTRIBUTE_BYTES, ATTRIBUTE_BYTES + maxBytes);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
