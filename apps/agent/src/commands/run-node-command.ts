import type { Command } from "./command-line.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { rollbackCommand, statusCommand, updateCommand } from "./node-commands.ts";
import { policyCommand } from "./policy-command.ts";

type NodeCommand = Extract<Command, { kind: "status" | "rollback" | "update" }>;

/** The commands that ask the updater. */
export async function runNodeCommand(command: NodeCommand, paths: NodePaths): Promise<void> {
  const common = { paths, json: command.json };
  if (command.kind === "status") await statusCommand(common);
  else if (command.kind === "rollback") await rollbackCommand(common);
  else if (command.policy) await policyCommand(paths);
  else await updateCommand(common, command.request);
}
