import { reportLine } from "@ashlar/host/terminal";
import type { Lab, StartOptions } from "@ashlar/lab";
import { Command, Option } from "commander";
import { filesDirOption, readClassConfig } from "../class-config.ts";
import { withInterruption } from "../interruption.ts";
import { nameOption, type Named } from "../lab/lab-options.ts";
import { open } from "../lab/open-lab.ts";
import { withProgress } from "../lab/with-progress.ts";

type StartCliOptions = Named & {
  readonly config?: string;
  readonly filesDir?: string;
  readonly wait: boolean;
  readonly force?: true;
};

export function startCommand(): Command {
  return withStartOptions(new Command("start").description("Power a node on"))
    .addHelpText(
      "after",
      `
Examples:
  ashlar lab start node-1
  ashlar lab start node-1 --config other.bu
  ashlar lab start node-1 --without-config`,
    )
    .action(async (node: string, options: StartCliOptions) => {
      await changeNode(options, async (lab, start) => lab.start(node, start));
    });
}

export function restartCommand(): Command {
  return withStartOptions(new Command("restart").description("Shut a node down and power it on again"))
    .option("--force", "cut its power instead of shutting it down")
    .addHelpText("after", "\nExamples:\n  ashlar lab restart node-1\n  ashlar lab restart node-1 --force --no-wait")
    .action(async (node: string, options: StartCliOptions) => {
      await changeNode(options, async (lab, start) => lab.restart(node, { ...start, force: options.force }));
    });
}

function withStartOptions(command: Command): Command {
  return command
    .argument("<node>", "for example node-1")
    .option("--config <file>", "replace the node's declared config, for this start and later ones")
    .addOption(filesDirOption())
    .addOption(
      new Option("--without-config", "give it no config this time, as if no source answered").conflicts("config"),
    )
    .option("--no-wait", "do not wait until its agent answers")
    .addOption(nameOption());
}

export function stopCommand(): Command {
  return new Command("stop")
    .description("Shut a node down")
    .argument("<node>", "for example node-1")
    .option("--force", "cut its power instead")
    .addOption(nameOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab stop node-1\n  ashlar lab stop node-1 --force")
    .action(async (node: string, options: Named & { readonly force?: true }) => {
      const lab = await open(options);
      await withInterruption(async (signal) => lab.stop(node, { force: options.force, signal }));
      reportLine(`${node}: stopped`);
    });
}

async function changeNode(
  options: StartCliOptions & { readonly withoutConfig?: true },
  change: (lab: Lab, start: StartOptions) => Promise<void>,
): Promise<void> {
  const lab = await open(options);
  const classConfig =
    options.config === undefined ? undefined : await readClassConfig(options.config, options.filesDir);
  await withProgress(async (onProgress, signal) =>
    change(lab, { classConfig, withoutConfig: options.withoutConfig, wait: options.wait, onProgress, signal }),
  );
}
