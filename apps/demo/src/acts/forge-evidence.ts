import { copyFile, cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseFirmwareLog } from "@ashlar/formats";
import { levelWithNextBoot } from "@ashlar/identity";
import type { Outcome, Stage } from "../stage.ts";

type Forgery = {
  readonly name: string;
  readonly attempt: string;
  readonly stoppedBy: string;
  /** Changes a copy of the evidence directory. */
  readonly forge: (directory: string) => Promise<void>;
};

const FORGERIES: readonly Forgery[] = [
  {
    name: "replayed-quote",
    attempt: "node-1 answers a new challenge with its old quote",
    stoppedBy: "the quote is signed over the nonce of one question",
    forge: async (directory) => {
      const path = join(directory, "node-1", "answer.json");
      const text = await readFile(path, "utf8");
      // The verifier's nonce is another one now; the quote still carries the old.
      await writeFile(path, text.replace(/("nonce":\s*")[0-9a-f]+"/u, `$1${"5a".repeat(32)}"`));
    },
  },
  {
    name: "other-tpm",
    attempt: "node-2 shows a quote made by node-1's TPM",
    stoppedBy: "the TPM's key was pinned when the node was enrolled",
    forge: async (directory) => {
      for (const name of ["quote.msg", "quote.sig", "ak.pub"]) {
        await copyFile(join(directory, "node-1", name), join(directory, "node-2", name));
      }
    },
  },
  {
    name: "edited-log",
    attempt: "one bit of a digest in node-1's firmware event log is changed",
    stoppedBy: "the log does not lead to the registers that the TPM has signed",
    forge: async (directory) => {
      const path = join(directory, "node-1", "firmware-log.bin");
      const log = await readFile(path);
      // What a log says about its events is only a comment; what was measured is the digest.
      const digest = parseFirmwareLog(log).events.at(-1)?.digests.sha256;
      if (digest === undefined) throw new TypeError("evidence that was proven has events of the SHA-256 bank");
      const place = log.lastIndexOf(digest);
      log[place] = (log[place] ?? 0) ^ 1;
      await writeFile(path, log);
    },
  },
];

/** Evidence that was tampered with is refused, offline and by name. */
export async function forgeEvidence(stage: Stage): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { name, attempt, stoppedBy, forge } of FORGERIES) {
    stage.say(`  ${attempt}`);
    const directory = stage.path("forged", name);
    await rm(directory, { recursive: true, force: true });
    await cp(stage.path("evidence"), directory, { recursive: true });
    await forge(directory);
    const { status, fleet } = await stage.prove("--from", directory);
    const refused = fleet.nodes.find((node) => levelWithNextBoot(node) === "mismatch");
    const [first] = [...(refused?.differences ?? []), ...(refused?.nextBoot?.differences ?? [])];
    outcomes.push({
      attempt,
      result: first === undefined ? fleet.verdict : `refused: ${first.what}`,
      held: status === 1 && refused !== undefined,
      reach: "nothing: evidence is only believed, never run",
      stoppedBy,
    });
  }
  return outcomes;
}
