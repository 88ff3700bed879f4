import { MAX_CHECKPOINT_BYTES, openCheckpoint, type Checkpoint } from "@ashlar/fleet";
import { readOptional, writeFileAtomically } from "@ashlar/host";
import { logTransport, verifyLog, type LogReport, type Quorum } from "@ashlar/verifier";
import { readPublicKey } from "../certificate/read-certificate.ts";
import { withInterruption } from "../interruption.ts";
import { createStepPrinter } from "../step-printer.ts";
import { describeKey, keyFor, readLogKey, requireName, type LogKey } from "./log-key.ts";

/** Progress is told after so many certificates. */
const REPORTED = 100;

/** Checks a log, and remembers what it has signed once all of it holds. */
export async function verifyHistory(options: {
  readonly log: string;
  readonly key: string;
  readonly certificateKey?: string;
  readonly remember?: string;
  readonly quorum?: Quorum | undefined;
}): Promise<LogReport & { readonly key: string; readonly isRemembered: boolean }> {
  const key = await readLogKey(options.key);
  const { certificateKey, remember } = options;
  const remembered = remember === undefined ? undefined : await readRemembered(remember, key);
  const say = createStepPrinter();
  const settings = {
    publicKey: key.publicKey,
    certificateKey: certificateKey === undefined ? key.publicKey : await readPublicKey(certificateKey),
    remembered,
    quorum: options.quorum,
    onProgress: (done: number, all: number): void => {
      if (done % REPORTED === 0) say(`${done} of ${all} certificates`);
    },
  };
  const report = await withInterruption(
    async (signal) => await verifyLog(logTransport(options.log), { ...settings, signal }),
  );
  requireName(key, report.checkpoint.origin);
  const isRemembered = remember !== undefined && report.problems.length === 0;
  if (isRemembered) await writeFileAtomically(remember, report.note);
  return { ...report, key: describeKey(key, report.checkpoint.origin), isRemembered };
}

async function readRemembered(path: string, key: LogKey): Promise<Checkpoint | undefined> {
  const bytes = await readOptional(path, MAX_CHECKPOINT_BYTES, { links: "follow" });
  if (bytes === undefined) return undefined;
  const note = bytes.toString("utf8");
  return openCheckpoint(note, keyFor(key, note));
}
