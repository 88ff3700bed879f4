import { printJson, printLines } from "@ashlar/host/terminal";
import type { NodePaths } from "../shared/node-paths.ts";
import { applyOnNode } from "../refresher/apply-on-node.ts";
import { describeRecord } from "../extensions/merge-record.ts";

/** What ashlar-extensions.service runs at boot. */
export async function applyCommand(paths: NodePaths, json: boolean): Promise<void> {
  const record = await applyOnNode(paths);
  if (json) printJson(record);
  else printLines(describeRecord(record));
}
