import { join } from "node:path";
import { AshlarError, membersOf } from "@ashlar/base";
import type { NodePaths } from "../../shared/node-paths.ts";
import { readDeclared } from "../../extensions/read-declared.ts";
import { readMergeRecord } from "../../extensions/merge-record.ts";
import { readStateFile, writeStateFile } from "../../shared/state-file.ts";

/**
 * A release that no longer takes an extension that the one before took has broken the node: what was merged in the last
 * healthy boot, and is still declared, must be merged. An extension that never came says nothing about the release.
 *
 * @throws AshlarError `failed`
 */
export async function checkExtensions({ extensions }: Pick<NodePaths, "extensions">): Promise<void> {
  const { names } = membersOf(await readStateFile(fileIn(extensions.state)));
  if (!Array.isArray(names) || names.length === 0) return;
  const { merged, setAside } = await readMergeRecord(extensions);
  const declared = new Set((await readDeclared(extensions)).declared.map(({ name }) => name));
  const now = new Set(merged.map(({ name }) => name));
  const lost = names.filter((name) => typeof name === "string" && declared.has(name) && !now.has(name));
  if (lost.length === 0) return;
  const reasons = lost.map((name) => {
    const reason = setAside.find((each) => each.name === name)?.reason ?? "no image of it is on this node";
    return `${name}: ${reason}`;
  });
  throw new AshlarError("failed", `merged in the last healthy boot, and not now: ${reasons.join("; ")}`);
}

/** After a healthy boot. A node without extensions keeps no file. */
export async function rememberExtensions({ extensions }: Pick<NodePaths, "extensions">): Promise<void> {
  const { merged } = await readMergeRecord(extensions);
  const names = merged.filter(({ until }) => until === null).map(({ name }) => name);
  const { names: known = [] } = membersOf(await readStateFile(fileIn(extensions.state)));
  if (JSON.stringify(known) !== JSON.stringify(names)) await writeStateFile(fileIn(extensions.state), { names });
}

function fileIn(state: string): string {
  return join(state, "last-healthy.json");
}
