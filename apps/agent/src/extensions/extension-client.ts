import type { chooseExtension, openRepository, stageExtension } from "@ashlar/release/client";

/** What the updater needs of @ashlar/release/client: it is loaded with the first order. */
export type ExtensionClient = {
  readonly openRepository: typeof openRepository;
  readonly chooseExtension: typeof chooseExtension;
  readonly stageExtension: typeof stageExtension;
};
