import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { QUOTED_PCRS } from "@ashlar/protocol";
import type { TpmPrograms } from "./tpm-programs.ts";

export type Quote = {
  /** TPMS_ATTEST. */
  readonly message: Buffer;
  /** TPMT_SIGNATURE. */
  readonly signature: Buffer;
  /** PCR number to value, SHA-256 bank. */
  readonly pcrs: ReadonlyMap<number, Buffer>;
};

const SHA256_BYTES = 32;

/**
 * Quotes PCRs 0 to 15 of the SHA-256 bank with this persistent key. tpm2_quote reads the PCRs itself and fails when they
 * are not those of the quote (a measurement came in between).
 */
export async function quote(tpm: TpmPrograms, attestationKey: string, qualifyingData: Buffer): Promise<Quote> {
  return await withTemporaryDirectory(async (directory) => {
    const paths = { message: join(directory, "message"), signature: join(directory, "signature") };
    const pcrsPath = join(directory, "pcrs");
    const key = ["--key-context", attestationKey, "--hash-algorithm", "sha256"];
    const what = ["--pcr-list", `sha256:${QUOTED_PCRS.join(",")}`, "--qualification", qualifyingData.toString("hex")];
    const files = ["--message", paths.message, "--signature", paths.signature, "--format", "tss"];
    await tpm("quote", ["--quiet", ...key, ...what, ...files, "--pcr", pcrsPath, "--pcrs_format", "values"]);
    const values = await readFile(pcrsPath);
    if (values.length !== QUOTED_PCRS.length * SHA256_BYTES) {
      throw new AshlarError(
        "failed",
        `tpm2_quote: expected ${QUOTED_PCRS.length} PCR values, found ${values.length} bytes`,
        { hint: "the TPM's SHA-256 bank must be enabled" },
      );
    }
    const pcrs = QUOTED_PCRS.map(
      (pcr, index) => [pcr, values.subarray(index * SHA256_BYTES, (index + 1) * SHA256_BYTES)] as const,
    );
    return { message: await readFile(paths.message), signature: await readFile(paths.signature), pcrs: new Map(pcrs) };
  });
}
