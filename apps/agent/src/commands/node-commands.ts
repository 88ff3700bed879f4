import { setTimeout } from "node:timers/promises";
import { AshlarError, type ErrorCode } from "@ashlar/base";
import { printJson, printLines, reportLine } from "@ashlar/host/terminal";
import { MAX_UPDATE_STATUS_BYTES, type UpdateRequest, type UpdateStatus } from "@ashlar/protocol";
import type { Method } from "../shared/json-answers.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { formatProgress, formatStatus } from "./format-status.ts";
import { askUpdaterAsRoot } from "../shared/updater-client.ts";

const POLL_MS = 500;

/** What the commands on a node have in common: they talk to the updater, and print. */
export type NodeCommand = { readonly paths: NodePaths; readonly json: boolean };

export async function statusCommand(command: NodeCommand): Promise<void> {
  print(command, await ask(command.paths, "GET", "/v1/update"));
}

export async function updateCommand(command: NodeCommand, request: UpdateRequest): Promise<void> {
  await order(command, "/v1/update", request);
}

export async function rollbackCommand(command: NodeCommand): Promise<void> {
  await order(command, "/v1/rollback", {});
}

/** Gives an order and follows it to its end. */
async function order(command: NodeCommand, path: string, request: UpdateRequest): Promise<void> {
  const status = await followOrder(command.paths, path, request, (line) => reportLine(line));
  print(command, status);
}

/**
 * Gives an order and follows it; `onLine` gets a line whenever something has changed.
 *
 * @throws AshlarError what the order failed with
 */
export async function followOrder(
  paths: Pick<NodePaths, "updaterSocket">,
  path: string,
  request: UpdateRequest,
  onLine: (line: string) => void,
): Promise<UpdateStatus> {
  let status = await ask(paths, "POST", path, JSON.stringify(request));
  let shown = "";
  while (status.phase !== "idle") {
    const line = formatProgress(status);
    if (line !== shown) onLine(line);
    shown = line;
    await setTimeout(POLL_MS);
    status = await ask(paths, "GET", "/v1/update");
  }
  throwLastError(status);
  return status;
}

/** @throws AshlarError what the last order failed with */
export function throwLastError({ lastError }: Pick<UpdateStatus, "lastError">): void {
  if (lastError === null) return;
  const { message, hint } = lastError;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the updater writes codes of AshlarError only
  throw new AshlarError(lastError.code as ErrorCode, message, hint === undefined ? {} : { hint });
}

/** @throws AshlarError what the updater refused it with */
export async function ask<Status = UpdateStatus>(
  paths: Pick<NodePaths, "updaterSocket">,
  method: Method,
  path: string,
  body?: string,
  maxBytes: number = MAX_UPDATE_STATUS_BYTES,
): Promise<Status> {
  const asked = { method, path, maxBytes, ...(body === undefined ? {} : { body }) };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the updater is this same program, and root's
  return (await askUpdaterAsRoot(paths.updaterSocket, asked)) as Status;
}

function print({ json }: NodeCommand, status: UpdateStatus): void {
  if (json) printJson(status);
  else printLines(formatStatus(status));
}
