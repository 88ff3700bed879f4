import { AshlarError, messageOf } from "@ashlar/base";
import { Metadata, type Root } from "@tufjs/models";
import { TrustedMetadataStore } from "tuf-js/dist/store.js";
import type { KeyDirectory, TufSigner } from "@ashlar/keys";
import { adoptNextKeys, type ChangeOptions, DEFAULT_LIFETIMES } from "../publish/change-index.ts";
import type { RepositoryFiles } from "../publish/repository-files.ts";
import { mergeSignatures, type RootProposal } from "./root-proposal.ts";
import { isSignedBy } from "../publish/root-role.ts";
import { goodSigners, metadataBytes, type Signers } from "../publish/sign-role.ts";
import { type SignedState, writeSignedState } from "../publish/signed-state.ts";

/**
 * Publishes a root role that enough keys have signed. What the new keys have to vouch for is signed by old and new ones
 * first, so that it is good before and after the moment at which readers find the new root role.
 *
 * @throws AshlarError `not-found` when a key is not here that the role below root needs
 */
export async function putIntoEffect(
  { keys, nowMs, lifetimes = DEFAULT_LIFETIMES }: ChangeOptions,
  files: RepositoryFiles,
  state: SignedState,
  proposal: RootProposal,
): Promise<void> {
  // Only with the signatures that count.
  const next = new Metadata(proposal.next.signed);
  mergeSignatures({ ...proposal, next }, proposal);
  const bytes = metadataBytes(next);
  judgeAsReaders(state.root.bytes, bytes);
  const rootFile = `metadata/${next.signed.version}.root.json`;
  const targetsStay = isSignedBy(next, "targets", state.targets.metadata);
  const onlineStay =
    targetsStay &&
    isSignedBy(next, "snapshot", state.snapshot.metadata) &&
    isSignedBy(next, "timestamp", state.timestamp.metadata);
  if (!onlineStay) {
    const current = state.root.metadata.signed;
    const online = await signersOfBoth(keys, "online", current, next.signed);
    const targets = targetsStay ? online : await signersOfBoth(keys, "targets", current, next.signed);
    // Without the old keys there is a moment in which readers find no good signature, and they try again.
    if (!online.areOldHere || !targets.areOldHere) await files.write(rootFile, bytes);
    const signers: Signers = { targets: async () => targets.signers, online: async () => online.signers };
    const index = targetsStay ? undefined : state.index;
    await writeSignedState(files, signers, { previous: state, index, nowMs, lifetimes });
  }
  await files.write(rootFile, bytes);
  await finishRotation(keys, next.signed, bytes);
}

/** What is left to do in the key directory once the root role is published. */
export async function finishRotation(keys: KeyDirectory, root: Root, bytes: Buffer): Promise<void> {
  await keys.keepTrustedRoot(bytes);
  await adoptNextKeys(keys, root);
  await keys.removeNextRoot();
}

function judgeAsReaders(current: Buffer, next: Buffer): void {
  try {
    new TrustedMetadataStore(current).updateRoot(next);
  } catch (error) {
    throw new AshlarError("untrusted", `readers would refuse the new root role: ${messageOf(error)}`, { cause: error });
  }
}

async function signersOfBoth(
  keys: KeyDirectory,
  name: "targets" | "online",
  current: Root,
  next: Root,
): Promise<{ readonly signers: readonly TufSigner[]; readonly areOldHere: boolean }> {
  const [old, own] = [await goodSigners(keys, current, name), await goodSigners(keys, next, name)];
  if (own.length === 0) {
    throw new AshlarError("not-found", `${keys.path} has no ${name} key that root role ${next.version} names`, {
      hint: `bring one of them here as ${name}.next.pem: what it has to sign must be there when the root role is`,
    });
  }
  const signers = new Map([...old, ...own].map((signer) => [signer.key.keyID, signer]));
  return { signers: [...signers.values()], areOldHere: old.length > 0 };
}
