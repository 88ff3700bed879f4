/**
 * Reads a release repository, on nodes and elsewhere: transports, signed metadata (The Update Framework), staging of
 * releases and extensions block by block.
 */
export { writeBlocks } from "./blocks/write-blocks.ts";
export { openRepository } from "./open-repository.ts";
export type { Repository } from "./open-repository.ts";
export { readDocument } from "./read-document.ts";
export { stageExtension } from "./stage-extension.ts";
export { stageRelease } from "./stage-release.ts";
export { createTransport } from "./transport/create-transport.ts";
export type { Transport } from "./transport/transport.ts";
export { readTrustedRoot, readTrustedRoots } from "./trusted-metadata.ts";
export type { BadBlock } from "./copy-blocks.ts";
export type { UnusableSource } from "./image-source.ts";
export type { OpenRepositoryOptions } from "./open-repository.ts";
export type { SlotSource } from "./slot-source.ts";
export type { StageExtensionOptions, StagedExtension } from "./stage-extension.ts";
export type { StageReleaseOptions, StagedRelease } from "./stage-release.ts";
export type { Patience } from "./transport/transport.ts";
