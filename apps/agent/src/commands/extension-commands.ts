import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { printJson, printLines, reportLine, reportText } from "@ashlar/host/terminal";
import { type ExtensionPhase, type ExtensionsStatus, MAX_EXTENSIONS_STATUS_BYTES } from "@ashlar/protocol";
import type { ExtensionCommand } from "./command-line.ts";
import type { Method } from "../shared/json-answers.ts";
import type { NodePaths } from "../shared/node-paths.ts";
import { ask, throwLastError } from "./node-commands.ts";

const POLL_MS = 500;
const PAUSE_MS = 5000;

const PHASES: Readonly<Record<ExtensionPhase, string>> = {
  idle: "idle",
  checking: "looking for versions",
  fetching: "collecting the image",
  installing: "putting it into the store",
  merging: "verifying, measuring and merging",
  "checking-health": "restarting its units and checking its health",
  reverting: "returning to the previous version",
};

/** The commands about extensions that ask the updater. */
export async function runExtensionCommand(command: ExtensionCommand, paths: NodePaths): Promise<void> {
  const status = await carryOut(command, paths);
  if (command.json) printJson(status);
  else printLines(formatExtensions(status));
}

async function carryOut(command: ExtensionCommand, paths: NodePaths): Promise<ExtensionsStatus> {
  switch (command.kind) {
    case "extensions-status":
      return await askStatus(paths, "GET", "/v1/extensions");
    case "extensions-update":
      return await order(paths, "update", command.request);
    case "extensions-debug":
      return await order(paths, "debug", command.request);
    case "extensions-policy":
      return await order(paths, "maintain", { updates: true });
    case "extensions-fetch":
      break;
  }
  return await fetchMissing(paths, command.limitMs);
}

/** A server that does not answer yet may do so soon: the network of a node that has just booted, for example. */
async function fetchMissing(paths: NodePaths, limitMs: number): Promise<ExtensionsStatus> {
  const end = performance.now() + limitMs;
  for (;;) {
    try {
      return await order(paths, "maintain", { updates: false });
    } catch (error) {
      const isWorthwhile = error instanceof AshlarError && ["unavailable", "failed", "conflict"].includes(error.code);
      if (!isWorthwhile || performance.now() + PAUSE_MS > end) throw error;
      reportText(`${error.message}; trying again`);
      await setTimeout(PAUSE_MS);
    }
  }
}

/** Gives an order and follows it to its end. */
async function order(
  paths: NodePaths,
  name: "update" | "debug" | "maintain",
  request: object,
): Promise<ExtensionsStatus> {
  let status = await askStatus(paths, "POST", `/v1/extensions/${name}`, JSON.stringify(request));
  let shown = "";
  while (status.phase !== "idle") {
    const line = describeActivity(status);
    if (line !== shown) reportLine(line);
    shown = line;
    await setTimeout(POLL_MS);
    status = await askStatus(paths, "GET", "/v1/extensions");
  }
  throwLastError(status);
  return status;
}

async function askStatus(paths: NodePaths, method: Method, path: string, body?: string): Promise<ExtensionsStatus> {
  return await ask<ExtensionsStatus>(paths, method, path, body, MAX_EXTENSIONS_STATUS_BYTES);
}

function describeActivity({ phase, target }: ExtensionsStatus): string {
  if (target === null) return PHASES[phase];
  return `${target.name}${target.version === null ? "" : ` ${target.version}`}: ${PHASES[phase]}`;
}

function formatExtensions(status: ExtensionsStatus): string[] {
  const { merged, setAside, missing, failures, lastError } = status;
  const lines = merged.map(
    ({ kind, name, version, until }) =>
      `merged     ${kind} ${name} ${version}${until === null ? "" : ` (debug session until ${until})`}`,
  );
  for (const { name, version, reason } of setAside) lines.push(`set aside  ${name} ${version ?? ""}: ${reason}`);
  for (const { name, reason } of missing) lines.push(`missing    ${name}: ${reason}`);
  if (lines.length === 0) lines.push("no extensions");
  lines.push(`now        ${describeActivity(status)}`);
  if (lastError !== null) lines.push(`last order failed: ${lastError.message}`);
  if (lastError?.hint !== undefined) lines.push(`  hint: ${lastError.hint}`);
  for (const { name, version, at, check, message } of failures) {
    lines.push(
      `failed here: ${name} ${version} at ${at} by ${check}`,
      ...message.split("\n").map((line) => `    ${line}`),
    );
  }
  return lines;
}
