/** The images fit what asks for them: containerd's configuration on nodes, and the recipe that has the programs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { loadRecipe } from "../recipe/load-recipe.ts";
import { imageRecipes } from "./cluster-images.ts";

const CONFIG = join(import.meta.dirname, "../../../../os/etc/containerd/config.toml");

test("the pause image is the one that nodes ask for", () => {
  const asked = /^sandbox_image = "(?<reference>[^"]+)"$/mu.exec(readFileSync(CONFIG, "utf8"))?.groups?.["reference"];
  const [pause, proxy] = imageRecipes("v1.2.3");
  assert.equal(pause?.reference, asked);
  assert.equal(proxy?.reference, "registry.k8s.io/kube-proxy:v1.2.3");
});

test("each program of an image is in the recipe, where the image starts it", async () => {
  const { recipe } = await loadRecipe("kubernetes");
  for (const { programs, entrypoint } of imageRecipes("v1.2.3")) {
    for (const name of programs) {
      const found = recipe.go?.otherPackages.find(({ binary }) => basename(binary) === name);
      assert.equal(found?.binary, entrypoint[0]);
    }
  }
});
