export { buildExtension } from "./build-extension.ts";
export type { BuildExtensionOptions, BuiltExtension } from "./build-extension.ts";
export type { ExtensionSigner } from "./image/write-ddi.ts";
export { parseRecipe } from "./recipe/parse-recipe.ts";
export type { ExtensionSource } from "./sources/stage-source.ts";
