import { hash } from "node:crypto";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AshlarError } from "@ashlar/base";
import { readDataUrl } from "@ashlar/declaration";
import { NO_BEHAVIOUR } from "@ashlar/protocol";
import type { Material } from "@ashlar/statements";
import { type PlannedFile, planConfext } from "../ignition/confext-plan.ts";
import { checkWay } from "../tree/check-way.ts";
import type { StagedTree } from "./staged-tree.ts";

const THE_CONFIG = "the config";
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/**
 * Puts what an Ignition config says of /etc and of units into the tree of a confext.
 *
 * @throws AshlarError `invalid`, naming everything that has no place in a confext; `conflict` for a path that is told twice
 */
export async function stageIgnition(config: Uint8Array, tree: string): Promise<StagedTree> {
  const { files, links, directories } = planConfext(config);
  const budget = { bytes: MAX_UNPACKED_BYTES };
  const seen = new Set<string>();
  for (const { path } of [...files, ...links]) {
    if (seen.has(path)) throw new AshlarError("conflict", `expected ${path} once, found it twice`);
    seen.add(path);
  }
  for (const { path, mode } of directories) {
    await checkWay(tree, path, THE_CONFIG);
    await mkdir(join(tree, path), { recursive: true });
    await chmod(join(tree, path), mode);
  }
  for (const file of files) {
    const target = await makeParent(tree, file.path);
    await writeFile(target, contentOf(file, budget), { flag: "wx" });
    await chmod(target, file.mode);
  }
  for (const { path, target } of links) {
    await symlink(target, await makeParent(tree, path));
  }
  const materials: Material[] = [
    { name: "config.ign", digest: { sha256: hash("sha256", config) }, annotations: { role: "source" } },
  ];
  return { packages: [], materials, leftOut: [], ownerOf: () => undefined, behaviour: NO_BEHAVIOUR, version: null };
}

/** A link of the config can be in the way of another. */
async function makeParent(tree: string, path: string): Promise<string> {
  await checkWay(tree, dirname(path), THE_CONFIG);
  await mkdir(dirname(join(tree, path)), { recursive: true });
  return join(tree, path);
}

function contentOf({ path, content }: PlannedFile, budget: { bytes: number }): Uint8Array {
  if ("text" in content) return Buffer.from(content.text);
  return readDataUrl(content.source, content.isCompressed ? "gzip" : "", path, budget);
}
