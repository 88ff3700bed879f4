import { AshlarError } from "@ashlar/base";
import { cosign, formatNoteKey, isNoteName, requireNoteSigner, type Checkpoint, type Cosignature } from "@ashlar/fleet";
import { readText, withLock } from "@ashlar/host";
import { cosignLog, type LogProblem } from "@ashlar/verifier";
import { openSigner } from "../certificate/open-signer.ts";
import type { SignerOptions } from "../certificate/signer-options.ts";
import { readLogKey } from "./log-key.ts";
import { verifyHistory } from "./verify-history.ts";
import { parseWitnesses } from "./witnesses.ts";

const LOCK_WAIT_MS = 60_000;

export type WitnessLogOptions = SignerOptions & {
  readonly log: string;
  readonly logKey: string;
  readonly certificateKey?: string;
  readonly name: string;
  readonly remember: string;
};

export type Witnessed = {
  readonly checkpoint: Checkpoint;
  readonly problems: readonly LogProblem[];
  /** With the witness's line; undefined when the log does not hold. */
  readonly note: string | undefined;
  /** What others verify the line with. */
  readonly key: string;
};

/** Checks a log against what was remembered of it, and only then says so. @throws AshlarError what reading logs and keys throws */
export async function witnessLog(options: WitnessLogOptions): Promise<Witnessed> {
  const { name, logKey, ...rest } = options;
  if (!isNoteName(name)) {
    throw new AshlarError("usage", `expected --name without spaces and plus signs, found ${JSON.stringify(name)}`);
  }
  const signer = await openSigner(options);
  const { publicKey } = signer;
  requireNoteSigner(signer);
  // Of two at a time each could go on from the same past to another present.
  const lock = { what: `what was seen, in ${rest.remember}`, holder: "ashlar history witness", waitMs: LOCK_WAIT_MS };
  return await withLock(`${rest.remember}.lock`, lock, async () => {
    const { checkpoint, note, problems } = await verifyHistory({ ...rest, key: logKey });
    const key = formatNoteKey({ name, publicKey, type: "cosignature" });
    const seconds = Math.floor(Date.now() / 1000);
    return { checkpoint, problems, key, note: problems.length === 0 ? cosign(note, name, signer, seconds) : undefined };
  });
}

/** Puts what witnesses have sent into a log of one's own. */
export async function addToLog(
  paths: readonly string[],
  { log, key, witness }: { readonly log: string; readonly key: string; readonly witness: readonly string[] },
): Promise<readonly Cosignature[]> {
  const { publicKey } = await readLogKey(key);
  const notes = await Promise.all(paths.map(async (path) => await readText(path, "a cosigned checkpoint")));
  return await cosignLog(log, publicKey, notes, parseWitnesses(witness));
}
