import { AshlarError } from "@ashlar/base";
import { run, type RunResult } from "@ashlar/host";

/** Making a key takes a hardware TPM some seconds. */
const TIMEOUT_MS = 60_000;

/** Runs one program of tpm2-tools, which talks to the TPM by itself. */
export type TpmPrograms = (name: string, args: readonly string[]) => Promise<RunResult>;

/** `tcti`: how tpm2-tools reach the TPM, for example `device:/dev/tpmrm0` (tpm2-tools, common TCTI options). */
export function tpmPrograms(tcti: string): TpmPrograms {
  const runProgram: TpmPrograms = async (name, args) =>
    await run(`tpm2_${name}`, args, { env: { TPM2TOOLS_TCTI: tcti }, timeoutMs: TIMEOUT_MS });
  return async (name, args) => {
    try {
      return await runProgram(name, args);
    } catch (error) {
      if (!isLockout(error)) throw error;
      await runProgram("dictionarylockout", ["--quiet", "--clear-lockout"]);
      return await runProgram(name, args);
    }
  };
}

/**
 * A TPM counts each power cut after its keys were used as a wrong password, and after a few of them refuses to use keys
 * (TPM 2.0 Part 1, "Dictionary Attack Protection"). Our keys have no password that could be guessed.
 */
function isLockout(error: unknown): boolean {
  return error instanceof AshlarError && error.code === "failed" && error.message.includes(TPM_RC_LOCKOUT);
}

/** As tpm2-tools print it: "0x921". */
const TPM_RC_LOCKOUT = "0x921";
