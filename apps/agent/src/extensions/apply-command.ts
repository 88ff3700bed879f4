import type { NodePaths } from "../node-paths.ts";
import { applyOnNode } from "./apply-on-node.ts";
import { describeRecord } from "./merge-record.ts";

/** What ashlar-extensions.service runs at boot. */
export async function applyCommand(paths: NodePaths, json: boolean): Promise<void> {
  const record = await applyOnNode(paths);
  console.log(json ? JSON.stringify(record, undefined, 2) : describeRecord(record));
}
