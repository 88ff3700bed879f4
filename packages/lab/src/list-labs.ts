import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { membersOf } from "@ashlar/base";
// Not all of @ashlar/host, nor lab-paths.ts: what they need takes longer to load than all of `ashlar lab list` may take.
import { isMissing } from "@ashlar/host/read-file";
import { labsDirectory, STATE_FILE } from "./labs-directory.ts";

/** The names of all labs of this user, half-made ones too. */
export async function listLabs(): Promise<string[]> {
  try {
    const entries = await readdir(labsDirectory(), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export type LabSummary = {
  readonly name: string;
  /** How many it was made with. Null for a lab that is being made, or of which only half is left. */
  readonly nodes: number | null;
  /** The version of its cluster. Null without one. */
  readonly kubernetes: string | null;
};

/** All labs, with a word about each. */
export async function summarizeLabs(): Promise<LabSummary[]> {
  return await Promise.all((await listLabs()).map(summarize));
}

/** Not by the schema of lab-state.ts, for the same reason. */
async function summarize(name: string): Promise<LabSummary> {
  try {
    const { nodes, cluster } = membersOf(JSON.parse(await readFile(join(labsDirectory(), name, STATE_FILE), "utf8")));
    const { version } = membersOf(cluster);
    return {
      name,
      nodes: Array.isArray(nodes) ? nodes.length : null,
      kubernetes: typeof version === "string" ? version : null,
    };
  } catch {
    return { name, nodes: null, kubernetes: null };
  }
}
