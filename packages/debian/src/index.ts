/**
 * Debian's packages as trees to build in: which archive they come from, what `os/` asks for, mmdebstrap and apt, and a cache
 * of build steps by what goes into them.
 */
export { chooseArchive } from "./apt-archive.ts";
export type { Archive, ArchiveOptions } from "./apt-archive.ts";
export { downloadPackages } from "./apt-download.ts";
export type { DownloadedPackage } from "./apt-download.ts";
export { cachedStep } from "./build-cache.ts";
export { BuildTree } from "./build-tree.ts";
export { keepArchives, keptArchives } from "./kept-archives.ts";
export type { PackageArchive } from "./kept-archives.ts";
export { readPackageArchives } from "./package-archives.ts";
export { archiveParameters, builderOf, ownSource, packageMaterials } from "./materials.ts";
export { makeDebianTrees } from "./debian-trees.ts";
export type { DebianPackage, DebianTrees, Step } from "./debian-trees.ts";
export { readOsDefinition } from "./os-definition.ts";
export type { OsDefinition } from "./os-definition.ts";
