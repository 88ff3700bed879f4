/**
 * Builds system and configuration extensions as signed images, from directories, Debian packages, OCI images, Butane
 * configs or recipes, and checks and compares them.
 */
export { buildExtension } from "./build-extension.ts";
export type { BuildExtensionOptions, BuiltExtension } from "./build-extension.ts";
export { buildClusterImages } from "./cluster/cluster-images.ts";
export type { ClusterImage } from "./cluster/cluster-images.ts";
export { buildControlPlane } from "./cluster/control-plane.ts";
export type { ControlPlane } from "./cluster/control-plane.ts";
export type { ClusterBuildOptions } from "./cluster/other-programs.ts";
export type { ExtensionSigner } from "./image/write-ddi.ts";
export { diffExtensions } from "./inspect/diff-extensions.ts";
export type { ExtensionDifference } from "./inspect/diff-extensions.ts";
export { readExtensionImage } from "./inspect/extension-image.ts";
export { readManifestBeside } from "./inspect/manifest-beside.ts";
export { verifyExtension } from "./inspect/verify-extension.ts";
export type { ExtensionVerification } from "./inspect/verify-extension.ts";
export { loadRecipe } from "./recipe/load-recipe.ts";
export type { ExtensionSource } from "./sources/stage-source.ts";
