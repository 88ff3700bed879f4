import { readFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { parseUserspaceLog } from "@ashlar/formats";
import { isMissing, readOptional, run } from "@ashlar/host";
import { PCR_BANKS, type ExtensionWord, type PcrBank, extensionWord, parseExtensionWord } from "@ashlar/protocol";
import type { ExtensionPaths } from "../shared/node-paths.ts";

const PCREXTEND = "/usr/lib/systemd/systemd-pcrextend";
const REGISTER = 13;
/** Much more than the hexadecimal digits that the kernel shows. */
const MAX_REGISTER_BYTES = 4096;

/** What this boot has measured of its extensions so far, in order. */
export async function readMeasuredWords({
  measurementLog,
}: Pick<ExtensionPaths, "measurementLog">): Promise<ExtensionWord[]> {
  const { events } = parseUserspaceLog(await readLog(measurementLog));
  return events.flatMap(({ pcr, word }) => {
    const parsed = pcr === REGISTER && word !== undefined ? parseExtensionWord(word) : undefined;
    return parsed === undefined ? [] : [parsed];
  });
}

async function readLog(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return new Uint8Array();
    throw error;
  }
}

/**
 * Extends PCR 13 by a word, in each bank that a node is proved by.
 *
 * @param extend runs systemd-pcrextend with these arguments
 * @throws AshlarError `failed` when the TPM has not done it: what is not measured must not be merged
 */
export async function measure(
  { registers }: Pick<ExtensionPaths, "registers">,
  word: ExtensionWord,
  extend: (args: readonly string[]) => Promise<unknown> = (args) => run(PCREXTEND, args),
): Promise<void> {
  const text = extensionWord(word);
  const before = await readRegisters(registers);
  if (before.size === 0) {
    throw new AshlarError("failed", `expected PCR bank ${PCR_BANKS.join(" or ")} to be on, found none of them`, {
      hint: "switch one on in the firmware's set-up",
    });
  }
  // Without --graceful: it would report success on a machine without a TPM.
  await extend([...[...before.keys()].map((bank) => `--bank=${bank}`), `--pcr=${REGISTER}`, text]);
  const after = await readRegisters(registers);
  for (const [bank, value] of before) {
    if (after.get(bank) !== value) continue;
    throw new AshlarError("failed", `PCR ${REGISTER} of bank ${bank} has not changed: the TPM did not measure ${text}`);
  }
}

async function readRegisters(registers: ExtensionPaths["registers"]): Promise<Map<PcrBank, string>> {
  const values = new Map<PcrBank, string>();
  for (const bank of PCR_BANKS) {
    const value = await readOptional(registers[bank], MAX_REGISTER_BYTES);
    if (value !== undefined) values.set(bank, value.toString("latin1"));
  }
  return values;
}
