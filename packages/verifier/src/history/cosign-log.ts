import { join } from "node:path";
import type { KeyObject } from "node:crypto";
import { addCosignatures, CHECKPOINT_PATH, readCosignatures, type Cosignature, type NoteKey } from "@ashlar/fleet";
import { withLock, writeFileAtomically } from "@ashlar/host";
import { logLock } from "./append-certificate.ts";
import { logTransport, readCheckpoint } from "./open-log.ts";

/**
 * Puts cosignatures of its checkpoint, as witnesses have sent them, into a log.
 *
 * @param notes the checkpoint with witnesses' lines @throws AshlarError `conflict` for those of another checkpoint, `untrusted`
 */
export async function cosignLog(
  directory: string,
  publicKey: KeyObject,
  notes: readonly string[],
  witnesses: readonly NoteKey[],
): Promise<readonly Cosignature[]> {
  return await withLock(join(directory, ".lock"), logLock(directory), async () => {
    const { note } = await readCheckpoint(logTransport(directory), publicKey, undefined);
    const whole = notes.reduce((sum, each) => addCosignatures(sum, each, witnesses), note);
    if (whole !== note) await writeFileAtomically(join(directory, CHECKPOINT_PATH), whole);
    return readCosignatures(whole, witnesses);
  });
}
