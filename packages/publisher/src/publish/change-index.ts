import { isDeepStrictEqual } from "node:util";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import type { Root } from "@tufjs/models";
import type { KeyDirectory, TufSigner } from "@ashlar/keys";
import { MAX_REASON_CHARACTERS, type RepositoryIndex } from "@ashlar/repository-index";
import { RepositoryFiles } from "./repository-files.ts";
import { ROLES_OF_KEY } from "./root-role.ts";
import { signersFor } from "./sign-role.ts";
import { readSignedState, writeSignedState, type Lifetimes, type SignedState } from "./signed-state.ts";
import { writeSums } from "./sums-directories.ts";

/** What every change of a repository needs. */
export type ChangeOptions = {
  /** The repository's directory. */
  readonly repository: string;
  readonly keys: KeyDirectory;
  readonly nowMs: number;
  readonly lifetimes?: Lifetimes;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (step: string) => void;
};

export const DEFAULT_LIFETIMES: Lifetimes = { timestampDays: 30, roleDays: 365 };

export type IndexChange<T> = { readonly index: RepositoryIndex } & (
  | { readonly result: T }
  /** Done when the new index is in effect. */
  | { readonly finish: () => Promise<T> }
);

/** Reads the index, lets it be changed, and writes it with everything that follows from it. */
export async function changeIndex<T>(
  options: ChangeOptions,
  what: string,
  change: (
    index: RepositoryIndex,
    files: RepositoryFiles,
    /** Sign what is published. */
    signers: readonly TufSigner[],
  ) => Promise<IndexChange<T>>,
): Promise<T> {
  const { repository, keys, nowMs, lifetimes = DEFAULT_LIFETIMES, signal } = options;
  return await RepositoryFiles.change(repository, what, async (files) => {
    const previous = await readState(files, keys);
    // A missing key or a wrong passphrase shows before the work.
    const sumsKey = await keys.sumsKey();
    const signers = signersFor(keys, previous.root.metadata.signed);
    const changed = await change(previous.index, files, await signers.targets());
    const { index } = changed;
    throwIfInterrupted(signal);
    if (!isDeepStrictEqual(index, previous.index)) {
      await writeSignedState(files, signers, { previous, index, nowMs, lifetimes });
    }
    await writeSums(files, index, sumsKey);
    return "finish" in changed ? await changed.finish() : changed.result;
  });
}

/**
 * Reads what is published, and puts keys of the directory that have waited for its root role into their place.
 *
 * @param lastRoot as in {@link readSignedState}
 * @throws AshlarError `not-found`
 */
export async function readState(files: RepositoryFiles, keys: KeyDirectory, lastRoot?: number): Promise<SignedState> {
  const state = await readSignedState(files, keys, lastRoot);
  if (state === undefined) {
    throw new AshlarError("not-found", `${files.root} is not a repository of the keys in ${keys.path}`, {
      hint: "make it with `ashlar release init`",
    });
  }
  await adoptNextKeys(keys, state.root.metadata.signed);
  return state;
}

export async function adoptNextKeys(keys: KeyDirectory, root: Root): Promise<void> {
  await keys.adoptNext((name, id) =>
    ROLES_OF_KEY[name].every((role) => root.roles[role]?.keyIDs.includes(id) === true),
  );
}

/** @throws AshlarError `usage` for the reason of a withdrawal that is empty or too long */
export function checkReason(reason: string): void {
  if (reason.trim() !== "" && reason.length <= MAX_REASON_CHARACTERS) return;
  throw new AshlarError("usage", `expected a reason of 1 to ${MAX_REASON_CHARACTERS} characters`);
}
