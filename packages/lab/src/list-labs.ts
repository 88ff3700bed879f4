// Not node:fs/promises, nor @ashlar/host or lab-paths.ts: what they need takes longer to load than `ashlar lab list` to do.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { membersOf } from "@ashlar/base";
import { labsDirectory, STATE_FILE } from "./labs-directory.ts";

/** The names of all labs of this user, half-made ones too. */
export function listLabs(): string[] {
  if (!existsSync(labsDirectory())) return [];
  return readdirSync(labsDirectory(), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .toSorted();
}

export type LabSummary = {
  readonly name: string;
  /** How many it was made with. Null for a lab that is being made, or of which only half is left. */
  readonly nodes: number | null;
  /** The version of its cluster. Null without one. */
  readonly kubernetes: string | null;
};

/** All labs, with a word about each. */
export function summarizeLabs(): LabSummary[] {
  return listLabs().map(summarize);
}

/** Not by the schema of lab-state.ts, for the same reason. */
function summarize(name: string): LabSummary {
  try {
    const { nodes, cluster } = membersOf(JSON.parse(readFileSync(join(labsDirectory(), name, STATE_FILE), "utf8")));
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
