import type { chooseRelease } from "@ashlar/repository-index";
import type { openRepository, stageRelease } from "@ashlar/repository";

/** What the updater needs to read a repository: it is loaded with the first order. */
export type ReleaseClient = {
  readonly openRepository: typeof openRepository;
  readonly chooseRelease: typeof chooseRelease;
  readonly stageRelease: typeof stageRelease;
};
