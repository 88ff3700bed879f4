import { readFile } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { parseUserspaceLog } from "@ashlar/formats";
import { isMissing, run } from "@ashlar/host";
import { type ExtensionWord, extensionWord, parseExtensionWord } from "@ashlar/protocol";
import type { ExtensionPaths } from "../shared/node-paths.ts";

const PCREXTEND = "/usr/lib/systemd/systemd-pcrextend";
const REGISTER = 13;

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
 * Extends PCR 13 by a word.
 *
 * @throws AshlarError `failed` when the TPM has not done it: what is not measured must not be merged
 */
export async function measure({ register }: Pick<ExtensionPaths, "register">, word: ExtensionWord): Promise<void> {
  const text = extensionWord(word);
  const before = await readFile(register, "utf8");
  // Without --graceful: it would report success on a machine without a TPM.
  await run(PCREXTEND, ["--bank=sha256", `--pcr=${REGISTER}`, text]);
  if ((await readFile(register, "utf8")) !== before) return;
  throw new AshlarError("failed", `PCR ${REGISTER} has not changed: the TPM did not measure ${text}`);
}
