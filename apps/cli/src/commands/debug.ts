import { AshlarError } from "@ashlar/base";
import { printJson, printLine, reportLine } from "@ashlar/host/terminal";
import { Command } from "commander";
import type { DebugResult } from "@ashlar/rollout";
import { withInterruption } from "../interruption.ts";
import { VERDICT_STATUS } from "../prove/verdict-status.ts";
import { withSessionOptions } from "../update/options.ts";
import { refuseNoNode } from "../update/one-node.ts";
import type { SessionOptions } from "../update/session-of-options.ts";

type DebugOptions = Omit<SessionOptions, "urls"> & {
  readonly url?: string;
  readonly with: string;
  readonly for?: string;
  readonly end?: true;
  readonly timeout: number;
  readonly json?: true;
};

export function debugCommand(): Command {
  const command = new Command("debug")
    .description("Merge an undeclared extension on a node for a while, as a named exception in its proof")
    .argument("[node]", "with --lab: which node, for example node-1")
    .requiredOption("--with <extension>", "a published extension that the node does not declare")
    .option("--for <time>", "for how long, for example 1h, 20m or 1h30m: then the node removes it on its own")
    .option("--end", "remove it now")
    .option("--lab <name>", "the lab that the node belongs to")
    .option("--url <url>", "the https URL of the node's agent");
  return withSessionOptions(command, "schemas/debug-session-v2.json")
    .addHelpText(
      "after",
      `
The node measures the extension before it merges it, so that no proof can overlook it. Until the time is over, \`ashlar
prove\` on this machine lists it as an exception, which is kept beside the pins. It does not survive a restart of the node.
Until that restart the measurement stays in the node's log and is listed as a note.

Exit status: 0 the node is proven, with the exception; 1 a mismatch, also of what it boots next, or the extension was not
merged; 2 it cannot be proven.

Examples:
  ashlar debug node-1 --lab lab --with debug-tools --for 1h
  ashlar debug node-1 --lab lab --with debug-tools --end`,
    )
    .action(async (name: string | undefined, options: DebugOptions) => {
      refuseNoNode({ name, ...options }, "ashlar debug node-1 --lab lab --with debug-tools --for 1h");
      if ((options.for === undefined) === (options.end === undefined)) {
        throw new AshlarError("usage", "expected exactly one of --for and --end");
      }
      const result = await withInterruption(async (signal) => debug(name, options, signal));
      print(result, options.json === true);
      const { levelWithNextBoot } = await import("@ashlar/identity");
      process.exitCode = VERDICT_STATUS[levelWithNextBoot(result)];
    });
}

async function debug(name: string | undefined, options: DebugOptions, signal: AbortSignal): Promise<DebugResult> {
  const { beginDebugSession, endDebugSession } = await import("@ashlar/rollout");
  const { parseDuration } = await import("../debug/duration.ts");
  const { findNode } = await import("../update/one-node.ts");
  const { withUpdateLock } = await import("../update/run-update.ts");
  const { sessionOfOptions } = await import("../update/session-of-options.ts");
  const seconds = options.for === undefined ? undefined : parseDuration(options.for);
  const session = await sessionOfOptions({ ...options, urls: options.url }, signal);
  const node = findNode(session.nodes, name);
  const { verifier, right, operatorPem, extensionRecordPath } = session;
  const context = {
    verifier,
    right,
    operatorPem,
    extensionRecordPath,
    signal,
    timeoutMs: options.timeout * 1000,
    onProgress: (line: string) => reportLine(line),
  };
  return await withUpdateLock(session.recordPath, async () =>
    seconds === undefined
      ? endDebugSession(node, options.with, context)
      : beginDebugSession(node, options.with, seconds, context),
  );
}

function print(result: DebugResult, asJson: boolean): void {
  if (asJson) {
    printJson(result);
    return;
  }
  const { node, extension, version, until, level, differences, nextBoot } = result;
  const now = version === null ? `${extension} is not merged` : `${extension} ${version} is merged until ${until}`;
  printLine(`${node}: ${now}; ${level}${version === null || level !== "proven" ? "" : ", with this exception"}`);
  for (const { what, expected, found } of differences) printLine(`  ${what}: expected ${expected}, found ${found}`);
  if (nextBoot?.level !== "mismatch") return;
  for (const { what, expected, found } of nextBoot.differences) {
    printLine(`  next boot, ${what}: expected ${expected}, found ${found}`);
  }
}
