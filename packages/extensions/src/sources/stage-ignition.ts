import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { AshlarError, messageOf } from "@ashlar/base";
import { NO_BEHAVIOUR } from "@ashlar/protocol";
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
  const { files, links, directories } = planConfext(Buffer.from(config).toString("utf8"));
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
    await writeFile(target, await contentOf(file), { flag: "wx" });
    await chmod(target, file.mode);
  }
  for (const { path, target } of links) {
    await symlink(target, await makeParent(tree, path));
  }
  return { packages: [], leftOut: [], ownerOf: () => undefined, behaviour: NO_BEHAVIOUR, version: null };
}

/** A link of the config can be in the way of another. */
async function makeParent(tree: string, path: string): Promise<string> {
  await checkWay(tree, dirname(path), THE_CONFIG);
  await mkdir(dirname(join(tree, path)), { recursive: true });
  return join(tree, path);
}

async function contentOf({ path, content }: PlannedFile): Promise<Uint8Array> {
  if ("text" in content) return Buffer.from(content.text);
  try {
    const bytes = await (await fetch(content.source)).bytes();
    return content.isCompressed ? await promisify(gunzip)(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }) : bytes;
  } catch (error) {
    throw new AshlarError("malformed", `${path}: expected a data: URL, ${messageOf(error)}`, { cause: error });
  }
}
