import { readFile, stat } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import { writeFileAtomically } from "@ashlar/host";
import type { KeyDirectory } from "@ashlar/keys";
import { adoptNextKeys } from "../publish/change-index.ts";
import { compareKeys, type KeyDifference, type KeySummary, summarizeKeys } from "./key-summary.ts";
import {
  expectFollows,
  MAX_PROPOSAL_BYTES,
  type MissingSignatures,
  missingSignatures,
  parseProposal,
  type RootProposal,
  writeProposal,
} from "./root-proposal.ts";
import { metadataBytes } from "../publish/sign-role.ts";

export type ProposalReport = {
  readonly keys: KeySummary;
  readonly changes: readonly KeyDifference[];
  readonly missing: readonly MissingSignatures[];
  /** Whether it was compared with a root role that the directory trusts. */
  readonly isTrusted: boolean;
  /** The keys of the directory that have signed. */
  readonly signedBy: readonly string[];
};

/** @throws AshlarError what {@link readProposalFile} throws */
export async function showProposal(path: string): Promise<ProposalReport> {
  return report(await readProposalFile(path), { isTrusted: false, signedBy: [] });
}

/**
 * Signs a proposed root role with the root keys of a directory, in its file.
 *
 * @throws AshlarError `invalid` when the directory has no key that counts; and what {@link readProposalFile} and
 *   {@link expectFollows} throw
 */
export async function signProposal(path: string, keys: KeyDirectory): Promise<ProposalReport> {
  const proposal = await readProposalFile(path);
  const trustedRoot = await keys.trustedRoot();
  if (trustedRoot !== undefined) {
    expectFollows(path, proposal, trustedRoot);
    await adoptNextKeys(keys, proposal.current.signed);
  }
  const signedBy = await signWith(keys, proposal);
  if (signedBy.length === 0) {
    const own = (await keys.signers("root")).map(({ key }) => key.keyID.slice(0, 16));
    throw new AshlarError("invalid", `${keys.path}: expected a root key that is good or shall be, found ${list(own)}`, {
      hint: "`ashlar release sign-keys FILE` without --keys shows whose signatures count",
    });
  }
  await writeFileAtomically(path, writeProposal(proposal));
  // From here on this holder sees whether what comes next follows from it.
  await keys.keepTrustedRoot(metadataBytes(proposal.current));
  return report(proposal, { isTrusted: trustedRoot !== undefined, signedBy });
}

/** @returns the identifiers of the directory's keys that count */
export async function signWith(keys: KeyDirectory, { current, next }: RootProposal): Promise<string[]> {
  const ids = new Set([current, next].flatMap(({ signed }) => signed.roles["root"]?.keyIDs ?? []));
  const signers = (await keys.signers("root")).filter(({ key }) => ids.has(key.keyID));
  for (const { sign } of signers) next.sign(sign);
  return signers.map(({ key }) => key.keyID);
}

/** @throws AshlarError `not-found`, and what {@link parseProposal} throws */
export async function readProposalFile(path: string): Promise<RootProposal> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0;
  if (size > MAX_PROPOSAL_BYTES) {
    throw new AshlarError("limit", `${path}: expected at most ${MAX_PROPOSAL_BYTES} bytes, found ${size}`);
  }
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new AshlarError("not-found", `cannot read ${path}`, { cause: error });
  });
  return parseProposal(path, bytes);
}

function report(proposal: RootProposal, more: Pick<ProposalReport, "isTrusted" | "signedBy">): ProposalReport {
  const keys = summarizeKeys(proposal.next.signed);
  const changes = compareKeys(summarizeKeys(proposal.current.signed), keys);
  return { keys, changes, missing: missingSignatures(proposal), ...more };
}

function list(ids: readonly string[]): string {
  return ids.length === 0 ? "none" : ids.join(", ");
}
