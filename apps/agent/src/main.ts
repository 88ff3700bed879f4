import { AshlarError, BUG_STATUS, EXIT_STATUS } from "@ashlar/base";
import { printLine, printLines, reportBug, reportError } from "@ashlar/host/terminal";
import { type Command, VERSION, parseCommandLine } from "./commands/command-line.ts";
import { nodePaths } from "./shared/node-paths.ts";

/** No top-level await: the single executable's main script is CommonJS, which starts faster (see the image package). */
async function main(): Promise<void> {
  process.exitCode = await carryOut(parseCommandLine(process.argv.slice(2)));
}

/** Each command loads what it needs alone, so that the agent answers soon. Gives the exit status. */
async function carryOut(command: Command): Promise<number> {
  switch (command.kind) {
    case "help":
      printLines(command.text.split("\n"));
      return 0;
    case "version":
      printLine(`ashlar ${VERSION}`);
      return 0;
    case "agent":
      await (await import("./answer/run-agent.ts")).runAgent(command, process.env);
      return 0;
    case "updater":
      await (await import("./updater/run-updater.ts")).runUpdater(command, process.env);
      return 0;
    case "refresher":
      await (await import("./refresher/run-refresher.ts")).runRefresher(command, process.env);
      return 0;
    case "health":
      return await (
        await import("./commands/health-command.ts")
      ).healthCommand(nodePaths(), command.limitMs, command.json);
    case "cluster":
      await (await import("./commands/cluster-command.ts")).clusterCommand("/");
      return 0;
    case "boot-loader":
      await (await import("./commands/loader-command.ts")).loaderCommand(nodePaths());
      return 0;
    case "scrub":
      return await (await import("./commands/scrub-command.ts")).scrubCommand(nodePaths(), command.json);
    case "apply-extensions":
      await (await import("./commands/apply-command.ts")).applyCommand(nodePaths(), command.json);
      return 0;
    case "extensions-status":
    case "extensions-fetch":
    case "extensions-policy":
    case "extensions-update":
    case "extensions-debug":
      await (await import("./commands/extension-commands.ts")).runExtensionCommand(command, nodePaths());
      return 0;
    case "status":
    case "update":
    case "rollback":
      break;
  }
  await (await import("./commands/run-node-command.ts")).runNodeCommand(command, nodePaths());
  return 0;
}

// What nobody reads any more is dropped: a health check must not fail with its journal.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

main().catch((error: unknown) => {
  if (error instanceof AshlarError) {
    reportError(error);
    process.exitCode = EXIT_STATUS[error.code];
    return;
  }
  reportBug(error);
  process.exitCode = BUG_STATUS;
});
