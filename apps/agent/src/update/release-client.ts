import type {
  openRepository,
  ReleaseSummary,
  Repository,
  RepositoryIndex,
  SlotSource,
  StagedRelease,
  StageReleaseOptions,
} from "@ashlar/release/client";

/** What the updater needs of @ashlar/release/client: it is loaded with the first order. */
export type ReleaseClient = {
  readonly openRepository: typeof openRepository;
  readonly chooseRelease: (
    index: RepositoryIndex,
    choice: {
      readonly running: string;
      readonly to?: string;
      readonly channel?: string;
      readonly pin?: string;
      readonly allowDowngrade?: boolean;
      readonly failed: readonly string[];
      readonly retry?: boolean;
    },
  ) => string;
  readonly stageRelease: (options: StageReleaseOptions) => Promise<StagedRelease>;
};

export type { ReleaseSummary, Repository, SlotSource };
