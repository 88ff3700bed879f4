import { AshlarError } from "@ashlar/base";
import type { TpmPrograms } from "./tpm-programs.ts";

/** What is defined in the TPM's NV memory. */
export async function listNvIndices(tpm: TpmPrograms): Promise<ReadonlySet<number>> {
  const { stdout } = await tpm("getcap", ["handles-nv-index"]);
  return new Set(Array.from(stdout.toString("latin1").matchAll(/0x[0-9a-f]+/giu), ([text]) => Number(text)));
}

/**
 * The index is readable with its own empty password (TCG EK Credential Profile 2.5, 2.2.2), whoever the owner is. Those that a cloud
 * has defined may be the owner's alone.
 */
export async function readNvIndex(tpm: TpmPrograms, index: string, orAs?: "owner"): Promise<Buffer> {
  try {
    return (await tpm("nvread", ["--hierarchy", index, index])).stdout;
  } catch (error) {
    if (orAs === undefined || !(error instanceof AshlarError) || error.code !== "failed") throw error;
    return (await tpm("nvread", ["--hierarchy", "o", index])).stdout;
  }
}

/** The same, and nothing of an index that was defined and never written (TPM 2.0 Library Part 3, TPM2_NV_Read). */
export async function readWrittenIndex(tpm: TpmPrograms, index: string): Promise<Buffer> {
  try {
    return await readNvIndex(tpm, index);
  } catch (error) {
    if (error instanceof AshlarError && TPM_RC_NV_UNINITIALIZED.test(error.message)) return Buffer.alloc(0);
    throw error;
  }
}

/** As tpm2-tools print it. */
const TPM_RC_NV_UNINITIALIZED = /\b0x0*14a\b/iu;
