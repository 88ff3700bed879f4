export { COMPRESSION_LEVEL } from "./blocks/segment.ts";
export { EXTENSION_CERTIFICATE_FILE, KEYRING_FILE, KeyDirectory, ROOT_FILE } from "./keys/key-directory.ts";
export type { AskPassphrase, ExtensionSigner, KeyName } from "./keys/key-directory.ts";
export { sortedExtensions } from "./model/edit-extensions.ts";
export { sortedReleases } from "./model/edit-index.ts";
export type { ExtensionEntry, ExtensionFileKind, ExtensionIndex } from "./model/extension-entry.ts";
export { INDEX_FIELD, INDEX_SCHEMA, parseIndex } from "./model/repository-index.ts";
export type { PublishedFile, Withdrawal } from "./model/index-fields.ts";
export type { Channel, ReleaseEntry, RepositoryIndex } from "./model/repository-index.ts";
export { DEFAULT_LIFETIMES } from "./publish/change-index.ts";
export type { ChangeOptions } from "./publish/change-index.ts";
export { collectExtensionGarbage, collectGarbage } from "./publish/collect-garbage.ts";
export type { GarbageResult } from "./publish/collect-garbage.ts";
export { publishExtensions, withdrawExtensionFromRepository } from "./publish/extension-repository.ts";
export type { PublishExtensionsOptions } from "./publish/extension-repository.ts";
export type { KeyDifference, KeySummary } from "./publish/key-summary.ts";
export type { KeyChange } from "./publish/plan-keys.ts";
export {
  initRepository,
  promoteRelease,
  publishRelease,
  refreshRepository,
  withdrawFromRepository,
} from "./publish/release-repository.ts";
export type { PublishOptions, RefreshResult } from "./publish/release-repository.ts";
export type { MissingSignatures } from "./publish/root-proposal.ts";
export { collectSignatures, rotateKeys } from "./publish/rotate-keys.ts";
export type { RotationResult } from "./publish/rotate-keys.ts";
export { showProposal, signProposal } from "./publish/sign-proposal.ts";
export type { Lifetimes } from "./publish/signed-state.ts";
export { serveRepository } from "./serve/serve-repository.ts";
export type { RunningServer, ServeOptions } from "./serve/serve-repository.ts";
export { readIndex, readKeys, verifyRepository } from "./verify/verify-repository.ts";
export type { RepositoryReport, VerifyOptions } from "./verify/verify-repository.ts";
