import type { chooseRelease, openRepository, stageRelease } from "@ashlar/release/client";

/** What the updater needs of @ashlar/release/client: it is loaded with the first order. */
export type ReleaseClient = {
  readonly openRepository: typeof openRepository;
  readonly chooseRelease: typeof chooseRelease;
  readonly stageRelease: typeof stageRelease;
};
