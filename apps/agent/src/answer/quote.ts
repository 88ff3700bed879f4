import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { hashSizeBytes } from "@ashlar/formats";
import { withTemporaryDirectory } from "@ashlar/host";
import { PCR_BANKS, QUOTED_PCRS, type PcrBank } from "@ashlar/protocol";
import type { TpmPrograms } from "./tpm-programs.ts";

export type Quote = {
  /** TPMS_ATTEST. */
  readonly message: Buffer;
  /** TPMT_SIGNATURE. */
  readonly signature: Buffer;
  /** PCR number to value, by bank. */
  readonly pcrs: { readonly [Bank in PcrBank]?: ReadonlyMap<number, Buffer> };
};

/**
 * Quotes PCRs 0 to 15 of each bank that is on, with this persistent key. tpm2_quote reads the PCRs itself and fails when
 * they are not those of the quote (a measurement came in between).
 */
export async function quote(tpm: TpmPrograms, attestationKey: string, qualifyingData: Buffer): Promise<Quote> {
  const banks = await activeBanks(tpm);
  return await withTemporaryDirectory(async (directory) => {
    const paths = { message: join(directory, "message"), signature: join(directory, "signature") };
    const pcrsPath = join(directory, "pcrs");
    const key = ["--key-context", attestationKey, "--hash-algorithm", "sha256"];
    const what = ["--pcr-list", selectionOf(banks), "--qualification", qualifyingData.toString("hex")];
    const files = ["--message", paths.message, "--signature", paths.signature, "--format", "tss"];
    await tpm("quote", ["--quiet", ...key, ...what, ...files, "--pcr", pcrsPath, "--pcrs_format", "values"]);
    const pcrs = splitValues(await readFile(pcrsPath), banks);
    return { message: await readFile(paths.message), signature: await readFile(paths.signature), pcrs };
  });
}

/** The banks that are on, of those that can be quoted. tpm2_getcap writes "  - sha384: [ 0, 1, ... ]" for each (YAML). */
async function activeBanks(tpm: TpmPrograms): Promise<readonly PcrBank[]> {
  const { stdout } = await tpm("getcap", ["pcrs"]);
  const banks = PCR_BANKS.filter((bank) => new RegExp(`^ *- ${bank}: *\\[ *[0-9]`, "mu").test(stdout.toString("utf8")));
  if (banks.length > 0) return banks;
  throw new AshlarError("failed", "the TPM: expected PCR bank sha256 or sha384 to be on, found neither", {
    hint: "switch one of them on in the firmware's set-up (PCR banks, or hash policy)",
  });
}

/** Beside SHA-384 SHA-256 is always asked for: where it is off, the TPM signs that there are no PCRs of it. */
function selectionOf(banks: readonly PcrBank[]): string {
  const asked = banks.includes("sha384") ? PCR_BANKS : banks;
  return asked.map((bank) => `${bank}:${QUOTED_PCRS.join(",")}`).join("+");
}

/** tpm2_quote writes the values in the order of the selection, one after the other. */
function splitValues(values: Buffer, banks: readonly PcrBank[]): Quote["pcrs"] {
  const expectedBytes = banks.reduce((sum, bank) => sum + QUOTED_PCRS.length * hashSizeBytes(bank), 0);
  if (values.length !== expectedBytes) {
    throw new AshlarError(
      "failed",
      `tpm2_quote: expected ${QUOTED_PCRS.length} PCR values of ${banks.join(" and ")}, found ${values.length} bytes`,
      { hint: "is each PCR of these banks on in the firmware's set-up?" },
    );
  }
  let offset = 0;
  const pcrs: { [Bank in PcrBank]?: ReadonlyMap<number, Buffer> } = {};
  for (const bank of banks) {
    const sizeBytes = hashSizeBytes(bank);
    const start = offset;
    pcrs[bank] = new Map(
      QUOTED_PCRS.map((pcr, index) => {
        const at = start + index * sizeBytes;
        return [pcr, values.subarray(at, at + sizeBytes)];
      }),
    );
    offset += QUOTED_PCRS.length * sizeBytes;
  }
  return pcrs;
}
