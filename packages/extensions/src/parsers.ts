/** What reads outside bytes here, for whoever tries them with any. */
export { planConfext } from "./ignition/confext-plan.ts";
export { parseImageIndex, parseImageManifest } from "./oci/documents.ts";
export { Layers } from "./oci/layers.ts";
export { parseGoSums } from "./recipe/go-sums.ts";
export { parseRecipe } from "./recipe/parse-recipe.ts";
