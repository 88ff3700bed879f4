import { run, type RunResult } from "@ashlar/host";

/** Making a key takes a hardware TPM some seconds. */
const TIMEOUT_MS = 60_000;

/** Runs one program of tpm2-tools, which talks to the TPM by itself. */
export type TpmPrograms = (name: string, args: readonly string[]) => Promise<RunResult>;

/** `tcti`: how tpm2-tools reach the TPM, for example `device:/dev/tpmrm0` (tpm2-tools, common TCTI options). */
export function tpmPrograms(tcti: string): TpmPrograms {
  return async (name, args) =>
    await run(`tpm2_${name}`, args, { env: { TPM2TOOLS_TCTI: tcti }, timeoutMs: TIMEOUT_MS });
}
