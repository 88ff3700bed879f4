import { createHash } from "node:crypto";
import { AshlarError } from "@ashlar/base";
import {
  checkInclusionProof,
  formatInclusionProof,
  parseEntry,
  readCosignatures,
  type Checkpoint,
  type Cosignature,
  type HistoryEntry,
} from "@ashlar/fleet";
import { readNamedFile, readText } from "@ashlar/host";
import { checkQuorum, logTransport, openLog, type Quorum } from "@ashlar/verifier";
import { keyFor, readLogKey, requireName } from "./log-key.ts";

/** @param wanted an entry's number, or a certificate's file @throws AshlarError `not-found` when the log has it not */
export async function makeProof(
  wanted: string,
  options: { readonly log: string; readonly key: string },
): Promise<string> {
  const key = await readLogKey(options.key);
  const { checkpoint, note, entries, entryBytes, leaves } = await openLog(logTransport(options.log), key.publicKey);
  requireName(key, checkpoint.origin);
  const isNumber = /^\d{1,9}$/u.test(wanted);
  const digest = isNumber ? undefined : await digestOf(wanted);
  const index = isNumber ? Number(wanted) : entries.findIndex(({ certificate }) => certificate === digest);
  const entry = entryBytes[index];
  if (entry !== undefined) return formatInclusionProof(index, entry, leaves, note);
  const found = `${checkpoint.origin} has ${entries.length} entries, without it`;
  throw new AshlarError(
    "not-found",
    `expected ${isNumber ? `entry ${wanted}` : `the certificate ${wanted}`}: ${found}`,
  );
}

async function digestOf(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readNamedFile(path, "a certificate"))
    .digest("hex");
}

export type CheckedEntry = {
  readonly index: number;
  readonly entry: HistoryEntry;
  readonly checkpoint: Checkpoint;
  readonly cosignatures: readonly Cosignature[];
};

/** @throws AshlarError `untrusted` when it does not hold, or is about another certificate */
export async function checkProof(
  path: string,
  options: { readonly key: string; readonly certificate?: string; readonly quorum?: Quorum | undefined },
): Promise<CheckedEntry> {
  const text = await readText(path, "a proof");
  const key = await readLogKey(options.key);
  const note = text.slice(text.indexOf("\n\n") + 2);
  const { index, entry: bytes, checkpoint } = checkInclusionProof(text, keyFor(key, note));
  const cosignatures = readCosignatures(note, options.quorum?.witnesses ?? []);
  const [problem] = checkQuorum(options.quorum, cosignatures);
  if (problem !== undefined) throw new AshlarError("untrusted", `${path}: ${problem.message}`);
  const entry = parseEntry(bytes);
  if (options.certificate !== undefined) {
    const digest = await digestOf(options.certificate);
    if (digest !== entry.certificate) {
      throw new AshlarError(
        "untrusted",
        `${path}: expected a proof of certificate ${digest}, found ${entry.certificate}`,
      );
    }
  }
  return { index, entry, checkpoint, cosignatures };
}
