import { readdir } from "node:fs/promises";
import { isMissing } from "@ashlar/host";
import { readVariable } from "../shared/efi-variable.ts";

/** The names that efivarfs gives to variables: what decides about a boot, and is neither measured nor there on a sound node. */
const DECIDING: readonly RegExp[] = [
  // What systemd-boot starts (the Boot Loader Interface, systemd.io).
  /^(?<name>LoaderEntry(?:Default|OneShot|Preferred|SysFail))-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f$/iu,
  // What the firmware starts instead of the first boot option (UEFI specification 2.10, section 3.3).
  /^(?<name>BootNext)-8be4df61-93ca-11d2-aa0d-00e098032b8c$/iu,
  // systemd's vendor: SystemdOptions is a kernel command line beside the measured one; and shim's keys for the kernel. The
  // first program of the initrd (os/initrd/90ashlar/ashlar-first) removes the same.
  /^(?<name>.*)-8cf2644b-4b0b-428f-9387-6d876050dc67$/iu,
  /^(?<name>MokList.*RT)-605dab50-e046-4300-abb6-3dd810dd8b23$/iu,
];
/** A report holds so many at most, and none of them longer. */
const MAX_VARIABLES = 16;
const MAX_NAME_CHARACTERS = 64;
const MAX_VALUE_CHARACTERS = 200;

/** Variables of the firmware that change what boots, or with which settings: their values as text, by name. */
export async function readBootVariables(efiVariables: string): Promise<Record<string, string>> {
  const files = await readdir(efiVariables).catch((error: unknown): string[] => {
    if (isMissing(error)) return [];
    throw error;
  });
  const variables: Record<string, string> = {};
  for (const file of files.toSorted()) {
    const name = DECIDING.map((pattern) => pattern.exec(file)?.groups?.["name"]).find((found) => found !== undefined);
    if (name === undefined || Object.keys(variables).length === MAX_VARIABLES) continue;
    const value = await readVariable(efiVariables, file);
    if (value !== undefined) variables[asWord(name)] = describe(value);
  }
  return variables;
}

/** Names are somebody else's, and the report holds letters and digits. */
function asWord(name: string): string {
  return name.replaceAll(/[^0-9A-Za-z]/gu, "").slice(0, MAX_NAME_CHARACTERS) || "unnamed";
}

/** UTF-16 up to the first NUL where that is plain text, else the bytes. */
function describe(value: Buffer): string {
  const text = value.toString("utf16le").split("\0", 1)[0] ?? "";
  const isReadable = /^[\u{20}-\u{7e}]+$/u.test(text);
  return (isReadable ? text : `bytes ${value.toString("hex")}`).slice(0, MAX_VALUE_CHARACTERS);
}
