import { hash } from "node:crypto";
import type { KnownConfig } from "@ashlar/inventory";
import { readClassConfig } from "../class-config.ts";
import type { NodeSources } from "../inventory/known-nodes.ts";

/** Where class configs come from. */
export type ConfigSources = Pick<NodeSources, "config" | "filesDir" | "fleet"> & {
  readonly configs?: readonly string[];
};

/** The class configs that options and the fleet file name, each with the digest that nodes measure. */
export async function readConfigs({ configs = [], config, filesDir, fleet }: ConfigSources): Promise<KnownConfig[]> {
  const places = new Map<string, string | undefined>();
  for (const path of [...configs, ...(config === undefined ? [] : [config])]) places.set(path, filesDir);
  if (fleet !== undefined) {
    const { readFleet } = await import("../fleet/read-fleet.ts");
    const file = await readFleet(fleet);
    for (const each of file.fleet.classes.values())
      places.set(file.at(each.config), each.filesDir === undefined ? undefined : file.at(each.filesDir));
  }
  return await Promise.all([...places].map(async ([path, directory]) => readKnownConfig(path, directory)));
}

async function readKnownConfig(name: string, filesDir: string | undefined): Promise<KnownConfig> {
  const { readText } = await import("@ashlar/host");
  const text = await readText(name, "a class config");
  return { name, text, sha256: hash("sha256", await readClassConfig(name, filesDir, "quietly")) };
}
