import type { StoredAnswer } from "./answer.ts";
import type { StoredFleet } from "./read-fleet.ts";
import { ArchiveWriter } from "./write-archive.ts";
import { writeStoredAnswer } from "./write-answer.ts";
import { writeStoredFleet } from "./write-fleet.ts";

/** Keeps nodes' answers, as they come. */
export type EvidenceKeeper = { readonly keep: (name: string, answer: StoredAnswer) => Promise<void> };

/** The same, until all have come: what is disposed unfinished was not kept, where that is an archive. */
export type OpenKeeper = EvidenceKeeper & AsyncDisposable & { readonly finish: () => Promise<void> };

/** By which a place is an archive. */
const ARCHIVE = /\.tar$/u;

/**
 * Makes a place ready for the evidence of a fleet: an archive when its name ends in `.tar`, else a directory.
 *
 * @throws AshlarError `usage` when something else is there; nothing has changed then
 */
export async function keepEvidence(path: string, fleet: StoredFleet): Promise<OpenKeeper> {
  if (ARCHIVE.test(path)) return await ArchiveWriter.create(path, fleet);
  await writeStoredFleet(path, fleet);
  return { ...keepIn(path), finish: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
}

/** Keeps them in a directory. */
export function keepIn(directory: string): EvidenceKeeper {
  return { keep: async (name, answer) => writeStoredAnswer(directory, name, answer) };
}
