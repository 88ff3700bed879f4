import type { chooseExtension } from "@ashlar/repository-index";
import type { openRepository, stageExtension } from "@ashlar/repository";

/** What the updater needs to read a repository: it is loaded with the first order. */
export type ExtensionClient = {
  readonly openRepository: typeof openRepository;
  readonly chooseExtension: typeof chooseExtension;
  readonly stageExtension: typeof stageExtension;
};
