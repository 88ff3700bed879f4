/** Other keys for a repository: a root role that the keys before it have signed, and its own (section 6.1). */
import { isDeepStrictEqual } from "node:util";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import { Metadata, type Root } from "@tufjs/models";
import type { KeyDirectory } from "@ashlar/keys";
import { type ChangeOptions, DEFAULT_LIFETIMES, readState } from "../publish/change-index.ts";
import { compareKeys, type KeyDifference, type KeySummary, summarizeKeys } from "./key-summary.ts";
import { type KeyChange, planKeys } from "./plan-keys.ts";
import { finishRotation, putIntoEffect } from "./put-into-effect.ts";
import { RepositoryFiles } from "../publish/repository-files.ts";
import {
  expectFollows,
  mergeSignatures,
  type MissingSignatures,
  missingSignatures,
  parseProposal,
  type RootProposal,
  writeProposal,
} from "./root-proposal.ts";
import { goodKeys, makeRoot, readRoot } from "../publish/root-role.ts";
import { readProposalFile, signWith } from "./sign-proposal.ts";
import { expiry } from "../publish/sign-role.ts";
import type { SignedState } from "../publish/signed-state.ts";

export type RotationResult = {
  readonly keys: KeySummary;
  readonly changes: readonly KeyDifference[];
  /** Empty: it is in effect. */
  readonly missing: readonly MissingSignatures[];
};

export type RotateOptions = ChangeOptions & {
  /** For a key that is made in a directory where there is none. */
  readonly choosePassphrase: () => Promise<string | undefined>;
};

/**
 * Makes a root role with other keys and signs it with those of the directory. If that is enough, it comes into effect;
 * else it waits in the directory's `next-root.json` for other signatures. Interrupted, the repository is as before or as
 * after, and repeating goes on.
 *
 * @throws AshlarError `conflict` when another change waits; and what {@link planKeys} and `readState` throw
 */
export async function rotateKeys(options: RotateOptions & { readonly change: KeyChange }): Promise<RotationResult> {
  const { keys, nowMs, change, lifetimes = DEFAULT_LIFETIMES } = options;
  return await RepositoryFiles.change(options.repository, "ashlar release rotate-keys", async (files) => {
    const waiting = await waitingProposal(files, keys);
    const state = await readStateAround(files, keys, waiting);
    const goOn = async (proposal: RootProposal): Promise<RotationResult> => {
      options.onProgress?.(`signing root role ${state.root.version + 1}`);
      await signWith(keys, proposal);
      await keys.keepNextRoot(writeProposal(proposal));
      return await publishWhenSigned(options, files, state, proposal);
    };
    if (waiting !== undefined && isSame(waiting.next, state.root.metadata)) {
      return await publishWhenSigned(options, files, state, waiting);
    }
    const { metadata: current } = state.root;
    const plan = await planKeys(keys, current.signed, change, options.choosePassphrase);
    const root = makeRoot(plan, state.root.version + 1, expiry(nowMs, lifetimes.roleDays));
    if (waiting === undefined) {
      const next = new Metadata(root);
      return await goOn({ roots: await readRoots(files, state), current, next });
    }
    if (isDeepStrictEqual(goodKeys(waiting.next.signed), goodKeys(root))) {
      return await goOn(waiting);
    }
    throw otherWaits(keys);
  });
}

/**
 * Collects signatures from copies of a `next-root.json`, and puts the role into effect when they are enough. It signs
 * nothing itself: what others give back may be something else than what was prepared here.
 *
 * @throws AshlarError `conflict`, and what {@link parseProposal} and {@link expectFollows} throw
 */
export async function collectSignatures(
  options: ChangeOptions & { readonly proposals: readonly string[] },
): Promise<RotationResult> {
  const { keys, proposals: paths } = options;
  return await RepositoryFiles.change(options.repository, "ashlar release rotate-keys", async (files) => {
    const waiting = await waitingProposal(files, keys);
    let proposal = waiting;
    for (const path of paths) {
      const given = await readProposalFile(path);
      if (proposal !== undefined && !isSame(proposal.next, given.next)) throw otherWaits(keys, path);
      if (proposal === undefined) proposal = given;
      else mergeSignatures(proposal, given);
    }
    if (proposal === undefined) throw new AshlarError("usage", "expected a file with signatures");
    const state = await readStateAround(files, keys, proposal);
    if (!isSame(proposal.next, state.root.metadata)) expectFollows(paths[0] ?? "", proposal, state.root.bytes);
    if (waiting !== undefined) await keys.keepNextRoot(writeProposal(proposal));
    return await publishWhenSigned(options, files, state, proposal);
  });
}

async function publishWhenSigned(
  options: ChangeOptions,
  files: RepositoryFiles,
  state: SignedState,
  proposal: RootProposal,
): Promise<RotationResult> {
  const { keys, signal, onProgress = () => undefined } = options;
  const summary = summarizeKeys(proposal.next.signed);
  const changes = compareKeys(summarizeKeys(proposal.current.signed), summary);
  if (isSame(proposal.next, state.root.metadata)) {
    await finishRotation(keys, state.root.metadata.signed, state.root.bytes);
    return { keys: summary, changes, missing: [] };
  }
  throwIfInterrupted(signal);
  const missing = missingSignatures(proposal);
  if (missing.length === 0) {
    onProgress(`publishing root role ${summary.version}`);
    await putIntoEffect(options, files, state, proposal);
  }
  return { keys: summary, changes, missing };
}

/** What waits in the directory, unless the repository has gone another way since. */
async function waitingProposal(files: RepositoryFiles, keys: KeyDirectory): Promise<RootProposal | undefined> {
  const bytes = await keys.nextRoot();
  if (bytes === undefined) return undefined;
  const proposal = parseProposal(`${keys.path}/next-root.json`, bytes);
  const published = await files.read(`metadata/${proposal.next.signed.version}.root.json`);
  return published === undefined || isSame(proposal.next, readRoot(published)) ? proposal : undefined;
}

/**
 * The state now. When a rotation without the old keys was interrupted, between the root role and what the new keys sign,
 * it is that from before.
 */
async function readStateAround(
  files: RepositoryFiles,
  keys: KeyDirectory,
  proposal: RootProposal | undefined,
): Promise<SignedState> {
  try {
    return await readState(files, keys);
  } catch (error) {
    if (proposal === undefined || !(error instanceof AshlarError) || error.code !== "untrusted") throw error;
    return await readState(files, keys, proposal.current.signed.version);
  }
}

/** The published ones, back from the current one as far as they go. */
async function readRoots(files: RepositoryFiles, { root }: SignedState): Promise<Metadata<Root>[]> {
  const roots = [root.metadata];
  for (let version = root.version - 1; version > 0; version--) {
    const bytes = await files.read(`metadata/${version}.root.json`);
    if (bytes === undefined) break;
    roots.unshift(readRoot(bytes));
  }
  return roots;
}

function isSame(one: Metadata<Root>, other: Metadata<Root>): boolean {
  return isDeepStrictEqual(one.signed.toJSON(), other.signed.toJSON());
}

function otherWaits({ path }: KeyDirectory, file?: string): AshlarError {
  const than = file === undefined ? "" : ` than in ${file}`;
  return new AshlarError("conflict", `another change of keys${than} waits for signatures in ${path}/next-root.json`, {
    hint: "give that file to go on with it, or remove it",
  });
}
