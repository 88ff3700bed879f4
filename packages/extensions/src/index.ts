export { parseRecipe } from "./recipe/parse-recipe.ts";
