import { readdir } from "node:fs/promises";
import type { Stage } from "../stage.ts";

/** A signed image of a recipe. */
export async function buildExtension(stage: Stage, recipe: string): Promise<void> {
  const keys = ["--keys", stage.path("keys"), "--release", stage.path("image")];
  await stage.mustRun("extension", "build", "--recipe", recipe, ...keys, "--out", stage.path("extensions", recipe));
}

export async function publishExtension(stage: Stage, recipe: string): Promise<void> {
  const built = stage.path("extensions", recipe);
  const image = (await readdir(built)).find((name) => name.endsWith(".raw"));
  if (image === undefined) throw new TypeError(`\`ashlar extension build\` makes an image in ${built}`);
  const place = ["--repo", stage.path("repository"), "--keys", stage.path("keys")];
  await stage.mustRun("extension", "publish", ...place, `${built}/${image}`);
}
