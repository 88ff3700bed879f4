import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AshlarError, formatProblem, type Problem } from "@ashlar/base";
import { parseRecipe } from "./parse-recipe.ts";
import type { Recipe } from "./recipe.ts";

export type LoadedRecipe = { readonly recipe: Recipe; readonly directory: string };

const RECIPES_DIRECTORY: string = fileURLToPath(new URL("../../../../recipes", import.meta.url));

/**
 * Reads a recipe.
 *
 * @param nameOrPath one of those in `recipes/`, or the path of a folder of the same form
 * @throws AshlarError `not-found`, `malformed` with all that is wrong
 */
export async function loadRecipe(nameOrPath: string): Promise<LoadedRecipe> {
  const directory = nameOrPath.includes("/") ? resolve(nameOrPath) : join(RECIPES_DIRECTORY, nameOrPath);
  const path = join(directory, "recipe.yaml");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new AshlarError("not-found", `expected a recipe ${path}, found none`, {
      hint: "name one of the folders of recipes/, or write the path of another folder",
      cause: error,
    });
  });
  const { recipe, report } = parseRecipe(text);
  const misnamed: Problem[] =
    recipe === undefined || recipe.name === basename(directory)
      ? []
      : [{ severity: "error", message: `expected the folder's name ${basename(directory)}, found ${recipe.name}` }];
  if (recipe !== undefined && misnamed.length === 0) return { recipe, directory };
  const problems = [...report, ...misnamed].map((problem) => formatProblem(problem, { name: path, text }));
  throw new AshlarError("malformed", `a recipe is not as it has to be:\n${problems.join("\n")}`);
}
