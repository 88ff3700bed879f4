/** The Debian trees that an image is made from, for whoever builds something to compare an image with. */
export { chooseArchive } from "./apt-archive.ts";
export type { Archive, ArchiveOptions } from "./apt-archive.ts";
export { cachedStep } from "./build-cache.ts";
export { BuildTree } from "./build-tree.ts";
export { makeDebianTrees, sourceLines } from "./debian-trees.ts";
export type { DebianPackage, DebianTrees, Step } from "./debian-trees.ts";
export { readOsDefinition } from "./os-definition.ts";
