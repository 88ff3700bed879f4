import { Command } from "commander";
import { withInterruption } from "../interruption.ts";
import { withSessionOptions } from "../update/options.ts";
import { refuseNoNode } from "../update/one-node.ts";
import type { SessionOptions } from "../update/session-of-options.ts";
import type { UpdateResult } from "@ashlar/rollout";

type RollbackOptions = Omit<SessionOptions, "urls"> & {
  readonly url?: string;
  readonly channel?: string;
  readonly timeout: number;
  readonly json?: true;
};

export function rollbackCommand(): Command {
  const command = new Command("rollback")
    .description("Restart a node into the release in its other slot, proven before and after")
    .argument("[node]", "with --lab: which node, for example node-1")
    .option("--lab <name>", "the lab that the node belongs to")
    .option("--url <url>", "the https URL of the node's agent")
    .option("--channel <name>", "the channel whose minimum version applies (default: stable)");
  return withSessionOptions(command)
    .addHelpText(
      "after",
      `
Nothing is fetched. A release below the channel's minimum version is refused: here if the repository is known, and by the
node in any case. After an interruption the same command resumes. After an interrupted update (also one to an older
release) it returns to the release that the update came from.

Examples:
  ashlar rollback node-1 --lab lab
  ashlar rollback --url https://worker-1:7443 --operator-key operator.pem --releases releases \\
    --release-root release-root.json --config worker.bu --node-configs nodes --ek-roots makers.pem`,
    )
    .action(async (name: string | undefined, options: RollbackOptions) => {
      refuseNoNode({ name, ...options }, "ashlar rollback node-1 --lab lab");
      const { printResult } = await import("../update/run-update.ts");
      printResult(await withInterruption(async (signal) => rollBack(name, options, signal)), options.json === true);
    });
}

async function rollBack(
  name: string | undefined,
  options: RollbackOptions,
  signal: AbortSignal,
): Promise<UpdateResult> {
  const { requireMinimum } = await import("@ashlar/rollout");
  const { findNode } = await import("../update/one-node.ts");
  const { findPreviousRelease } = await import("@ashlar/rollout");
  const { withProgress, withUpdateLock } = await import("../update/run-update.ts");
  const { tellRelease } = await import("../update/tell-step.ts");
  const { updateFleet } = await import("@ashlar/rollout");
  const { sessionOfOptions } = await import("../update/session-of-options.ts");
  const session = await sessionOfOptions({ ...options, urls: options.url }, signal);
  const node = findNode(session.nodes, name);
  return await withUpdateLock(session.recordPath, async () => {
    const target = await findPreviousRelease(node, session.record, signal);
    if (session.repository !== undefined) requireMinimum(session.repository.index, options.channel, target);
    const goal = {
      target,
      order: "rollback",
      reboot: true,
      allowDowngrade: true,
      retry: true,
      bootTimeoutMs: options.timeout * 1000,
    } as const;
    await session.known.get(target);
    const { recordPath } = session;
    return await withProgress(tellRelease(goal), async (onEvent) =>
      updateFleet([session.access(node, target)], goal, { recordPath, onEvent, signal }),
    );
  });
}
