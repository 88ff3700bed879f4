import { printJson, reportLine } from "@ashlar/host/terminal";
import type { LabSummary } from "@ashlar/lab";
import { Command } from "commander";
import { jsonOption, nameOption, type Named } from "../lab/lab-options.ts";
import { open } from "../lab/open-lab.ts";
import { printStatus } from "../lab/print-status.ts";
import { printTable } from "../lab/print-table.ts";
import { kubeconfigCommand, kubectlCommand } from "./lab-cluster.ts";
import { restartCommand, startCommand, stopCommand } from "./lab-power.ts";
import { upCommand } from "./lab-up.ts";

export function labCommand(): Command {
  return new Command("lab")
    .description("Run nodes as virtual machines on this computer")
    .addHelpText(
      "after",
      `
Examples:
  ashlar lab up --nodes 2 --image out/image --config examples/node.bu
  ashlar lab ssh node-1 -- systemctl --failed
  ashlar lab down`,
    )
    .addCommand(upCommand())
    .addCommand(listCommand())
    .addCommand(statusCommand())
    .addCommand(sshCommand())
    .addCommand(consoleCommand())
    .addCommand(kubectlCommand())
    .addCommand(kubeconfigCommand())
    .addCommand(startCommand())
    .addCommand(stopCommand())
    .addCommand(restartCommand())
    .addCommand(downCommand());
}

function listCommand(): Command {
  return new Command("list")
    .description("Show the labs of this computer, and their clusters")
    .addOption(jsonOption())
    .action(async (options: { readonly json?: true }) => {
      // The rest of the package takes longer to load than this to do.
      const { summarizeLabs } = await import("@ashlar/lab/list");
      const labs = summarizeLabs();
      if (options.json === true) printJson({ labs });
      else printTable([["LAB", "NODES", "CLUSTER"], ...labs.map(wordsAbout)]);
    });
}

function wordsAbout({ name, nodes, kubernetes }: LabSummary): string[] {
  return [name, nodes === null ? "unfinished" : String(nodes), kubernetes === null ? "-" : `Kubernetes ${kubernetes}`];
}

function statusCommand(): Command {
  return new Command("status")
    .description("Show the state of each node of a lab")
    .addOption(nameOption())
    .addOption(jsonOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab status\n  ashlar lab status --name three --json")
    .action(async (options: Named & { readonly json?: true }) => {
      await printStatus(await open(options), options.json === true);
    });
}

function sshCommand(): Command {
  return new Command("ssh")
    .description("Run a command on a node, or a shell, as the user core")
    .argument("<node>", "for example node-1")
    .argument("[command...]", "after --")
    .addOption(nameOption())
    .addHelpText(
      "after",
      `
Exits with the command's own status. The node's shell interprets the command, as with ssh: quote accordingly.

Examples:
  ashlar lab ssh node-1
  ashlar lab ssh node-1 -- systemctl is-system-running
  ashlar lab ssh node-2 --name three -- 'cat /etc/os-release | head -2'`,
    )
    .action(async (node: string, command: readonly string[], options: Named) => {
      const lab = await open(options);
      process.exitCode = await lab.shell(node, command);
    });
}

function consoleCommand(): Command {
  return new Command("console")
    .description("Connect this terminal to a node's serial console; Ctrl-] leaves")
    .argument("<node>", "for example node-1")
    .addOption(nameOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab console node-1")
    .action(async (node: string, options: Named) => {
      const lab = await open(options);
      await lab.console(node);
    });
}

function downCommand(): Command {
  return new Command("down")
    .description("Remove a lab: its machines, disks and keys")
    .addOption(nameOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab down\n  ashlar lab down --name three")
    .action(async ({ name }: Named) => {
      const { labDown } = await import("@ashlar/lab");
      reportLine((await labDown(name)) ? `lab ${name}: removed` : `lab ${name}: there was nothing to remove`);
    });
}
