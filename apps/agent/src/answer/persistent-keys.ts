import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { TpmPrograms } from "./tpm-programs.ts";

/** TPM_RC_HANDLE for the first handle (TPM 2.0 Library Part 2, 6.6.3): there is no such object. */
const NO_SUCH_HANDLE = /0x18b\b/iu;

/** TPM2B_PUBLIC of a persistent key, or undefined when there is none at this handle. */
export async function readPublic(tpm: TpmPrograms, directory: string, handle: string): Promise<Buffer | undefined> {
  const path = join(directory, "public");
  try {
    await tpm("readpublic", ["--quiet", "--object-context", handle, "--format", "tss", "--output", path]);
  } catch (error) {
    if (error instanceof AshlarError && NO_SUCH_HANDLE.test(error.message)) return undefined;
    throw error;
  }
  return await readFile(path);
}

/** The TPM itself keeps the key from now on. */
export async function persistKey(tpm: TpmPrograms, context: string, handle: string): Promise<void> {
  await tpm("evictcontrol", ["--hierarchy", "o", "--object-context", context, handle]);
}
