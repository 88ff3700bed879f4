import { constants, existsSync } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { runForText } from "@ashlar/host";
import { isAtLeast, parseQemuVersion, type QemuVersion } from "./qemu-version.ts";

export const QEMU = "qemu-system-x86_64";

/** Debian's and Ubuntu's package `ovmf`: firmware without Secure Boot keys, which measures all that it starts. */
export const FIRMWARE_PATH = "/usr/share/OVMF/OVMF_CODE_4M.fd";
/** The same with Secure Boot. Without keys among its variables it is in set-up mode: it starts everything until somebody enrols some. */
export const SECURE_BOOT_FIRMWARE_PATH = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd";
export const FIRMWARE_VARIABLES_PATH = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/** Older ones end a Linux 6.12 guest with a double fault when KVM is not there (cmpxchg16b under TCG). */
const OLDEST_QEMU = [8, 2] as const;

/**
 * Gives QEMU's version.
 *
 * @throws AshlarError `missing-tool` when something that a lab needs is not installed or too old.
 */
export async function requireTools(): Promise<QemuVersion> {
  for (const path of [FIRMWARE_PATH, SECURE_BOOT_FIRMWARE_PATH, FIRMWARE_VARIABLES_PATH]) {
    if (!existsSync(path)) {
      throw new AshlarError("missing-tool", `the firmware ${path} (Debian package ovmf) is not installed`);
    }
  }
  for (const program of ["swtpm", "swtpm_setup", "ssh-keygen"]) await requireProgram(program);
  const answer = await runForText(QEMU, ["--version"]);
  const version = parseQemuVersion(answer);
  if (version === undefined || !isAtLeast(version, OLDEST_QEMU)) {
    throw new AshlarError(
      "missing-tool",
      `expected QEMU ${OLDEST_QEMU.join(".")} or later, found ${version?.join(".") ?? answer.slice(0, 100)}`,
    );
  }
  return version;
}

/** Not every program has an option that only asks for its version, and swtpm_setup's ends with status 1. */
async function requireProgram(program: string): Promise<void> {
  const directories = (process.env["PATH"] ?? "").split(delimiter);
  for (const directory of directories) {
    try {
      await access(join(directory, program), constants.X_OK);
      return;
    } catch {
      // It may be in the next one.
    }
  }
  throw new AshlarError("missing-tool", `the program ${program} is not installed`);
}
