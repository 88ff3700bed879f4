export type { ReleaseFileKind } from "../model/file-names.ts";
export type { Channel, PublishedFile, ReleaseEntry, RepositoryIndex, Withdrawal } from "../model/repository-index.ts";
export type { ReleaseSummary } from "../model/release-summary.ts";
export { openRepository } from "./open-repository.ts";
export type { OpenRepositoryOptions, Repository } from "./open-repository.ts";
export type { Patience } from "./transport.ts";
