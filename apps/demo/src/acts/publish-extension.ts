import { readdir } from "node:fs/promises";
import type { Stage } from "../stage.ts";

/** A signed image of a recipe, in the nodes' repository. */
export async function publishExtension(stage: Stage, recipe: string): Promise<void> {
  const out = stage.path("extensions", recipe);
  const keys = ["--keys", stage.path("keys")];
  const release = ["--release", stage.path("image")];
  await stage.mustRun("extension", "build", "--recipe", recipe, ...keys, ...release, "--out", out);
  const image = (await readdir(out)).find((name) => name.endsWith(".raw"));
  if (image === undefined) throw new TypeError(`\`ashlar extension build\` makes an image in ${out}`);
  await stage.mustRun("extension", "publish", "--repo", stage.path("repository"), ...keys, `${out}/${image}`);
}
