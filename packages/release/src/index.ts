export { COMPRESSION_LEVEL } from "./blocks/segment.ts";
export { EXTENSION_CERTIFICATE_FILE, KEYRING_FILE, KeyDirectory, ROOT_FILE } from "./keys/key-directory.ts";
export type { AskPassphrase, ExtensionSigner, KeyName } from "./keys/key-directory.ts";
export { sortedReleases } from "./model/edit-index.ts";
export { INDEX_FIELD, INDEX_SCHEMA, parseIndex } from "./model/repository-index.ts";
export type { Channel, PublishedFile, ReleaseEntry, RepositoryIndex, Withdrawal } from "./model/repository-index.ts";
export {
  collectGarbage,
  DEFAULT_LIFETIMES,
  initRepository,
  promoteRelease,
  publishRelease,
  refreshRepository,
  withdrawFromRepository,
} from "./publish/release-repository.ts";
export type { ChangeOptions, GarbageResult, PublishOptions, RefreshResult } from "./publish/release-repository.ts";
export type { Lifetimes } from "./publish/signed-state.ts";
export { serveRepository } from "./serve/serve-repository.ts";
export type { RunningServer, ServeOptions } from "./serve/serve-repository.ts";
export { readIndex, verifyRepository } from "./verify/verify-repository.ts";
export type { RepositoryReport, VerifyOptions } from "./verify/verify-repository.ts";
