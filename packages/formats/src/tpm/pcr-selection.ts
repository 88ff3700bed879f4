import { AshlarError } from "@ashlar/base";
import type { ByteReader } from "../byte-reader.ts";
import { digestOf, type HashName, hashSizeBytes, readHash } from "./hash-algorithm.ts";

/** One bank's PCRs, ascending (TPMS_PCR_SELECTION, TPM 2.0 Library Part 2, 10.6.2). */
export type PcrSelection = { readonly hash: HashName; readonly pcrs: readonly number[] };

/** As much as the TCG's software stack takes: 16 banks, and 32 PCRs (a PC Client TPM has 24). */
const MAX_BANKS = 16;
const MAX_BITMAP_BYTES = 4;

/** TPML_PCR_SELECTION. */
export function readPcrSelections(reader: ByteReader): PcrSelection[] {
  const count = reader.u32("pcrSelect.count");
  if (count > MAX_BANKS) reader.fail(`pcrSelect.count: expected at most ${MAX_BANKS}, found ${count}`);
  const selections: PcrSelection[] = [];
  for (let index = 0; index < count; index++) selections.push(readPcrSelection(reader, `pcrSelect[${index}]`));
  return selections;
}

function readPcrSelection(reader: ByteReader, field: string): PcrSelection {
  const hash = readHash(reader, `${field}.hash`);
  const sizeBytes = reader.u8(`${field}.sizeofSelect`);
  if (sizeBytes > MAX_BITMAP_BYTES) {
    reader.fail(`${field}.sizeofSelect: expected at most ${MAX_BITMAP_BYTES}, found ${sizeBytes}`);
  }
  const pcrs: number[] = [];
  for (const [index, byte] of reader.bytes(sizeBytes, `${field}.pcrSelect`).entries()) {
    for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) pcrs.push(index * 8 + bit);
  }
  return { hash, pcrs };
}

/** The PCRs of one bank that a quote covers, ascending and each once. */
export function selectedPcrs(selections: readonly PcrSelection[], bank: HashName): number[] {
  const pcrs = selections.filter((selection) => selection.hash === bank).flatMap((selection) => selection.pcrs);
  return [...new Set(pcrs)].toSorted((a, b) => a - b);
}

/**
 * The `pcrDigest` of a quote over these PCR values: H(values in the order of the selections, each bank's ascending)
 * (TPM 2.0 Library Part 1, 17).
 *
 * @param hash the hash of the signing scheme.
 * @param valueOf the value of one PCR.
 * @throws AshlarError `invalid` when a selected PCR has no value or one that is not of the bank's size.
 */
export function pcrDigestOf(
  hash: HashName,
  selections: readonly PcrSelection[],
  valueOf: (bank: HashName, pcr: number) => Uint8Array | undefined,
): Uint8Array {
  const values: Uint8Array[] = [];
  for (const { hash: bank, pcrs } of selections) {
    for (const pcr of pcrs) {
      const value = valueOf(bank, pcr);
      if (value?.length !== hashSizeBytes(bank)) {
        throw new AshlarError(
          "invalid",
          `the quote covers PCR ${pcr} of bank ${bank}: expected a value of ${hashSizeBytes(bank)} bytes, ` +
            `found ${value === undefined ? "none" : `${value.length} bytes`}`,
        );
      }
      values.push(value);
    }
  }
  return digestOf(hash, ...values);
}
