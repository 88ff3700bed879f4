import { basename, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import type { ArchiveOptions, Step } from "@ashlar/debian";
import { type GoPrograms, goPrograms } from "../recipe/go-programs.ts";
import { loadRecipe } from "../recipe/load-recipe.ts";

export type ClusterBuildOptions = Step & {
  /** Of Kubernetes, for example v1.33.4: one that `recipes/kubernetes/go` has digests for. */
  readonly version: string;
  /** Where Debian's packages come from. Default: as for an image. */
  readonly archive?: ArchiveOptions;
};

/** Where each program is, by its name. */
export type Programs<Name extends string = string> = Readonly<Record<Name, string>>;

/** Programs of the Kubernetes recipe that are no part of its extension, as the recipe builds those that are. */
export async function otherPrograms<Name extends string>(
  names: readonly Name[],
  { version, archive = {}, ...step }: ClusterBuildOptions,
): Promise<GoPrograms & { readonly programs: Programs<Name> }> {
  const { recipe, directory: folder } = await loadRecipe("kubernetes");
  const { go } = recipe;
  const packages = names.map((name) => {
    const found = go?.otherPackages.find(({ binary }) => basename(binary) === name);
    if (found !== undefined) return found;
    throw new AshlarError("invalid", `recipe kubernetes: expected ${name} in go.otherPackages, found none`);
  });
  if (go === null) throw new AshlarError("invalid", "recipe kubernetes: expected a Go module, found none");
  const built = await goPrograms(folder, { ...go, packages }, version, { archive, step });
  const programs = Object.fromEntries(packages.map(({ binary }) => [basename(binary), join(built.directory, binary)]));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- fromEntries forgets the names, which are these
  return { ...built, programs: programs as Programs<Name> };
}
