import { once } from "node:events";
import { printData } from "@ashlar/host/terminal";
import { AshlarError } from "@ashlar/base";
import type { LabClusterAccess } from "@ashlar/lab";
import { Command } from "commander";
import { nameOption, type Named } from "../lab/lab-options.ts";
import { open } from "../lab/open-lab.ts";

export function kubeconfigCommand(): Command {
  return new Command("kubeconfig")
    .description("Print the kubeconfig of a lab's cluster: its administrator's")
    .addOption(nameOption())
    .addHelpText("after", "\nExamples:\n  ashlar lab kubeconfig > kubeconfig\n  ashlar lab kubeconfig --name three")
    .action(async (named: Named) => {
      const { kubeconfig } = await clusterOf(named);
      const { readText } = await import("@ashlar/host");
      printData(await readText(kubeconfig, "the lab's kubeconfig"));
    });
}

export function kubectlCommand(): Command {
  return new Command("kubectl")
    .description("Run kubectl as the administrator of a lab's cluster")
    .argument("[arguments...]", "kubectl's own, after --")
    .addOption(nameOption())
    .addHelpText(
      "after",
      `
Exits with kubectl's own status.

Examples:
  ashlar lab kubectl -- get nodes -o wide
  ashlar lab kubectl --name three -- drain node-1 --ignore-daemonsets`,
    )
    .action(async (args: readonly string[], named: Named) => {
      const { kubectl, environment } = await clusterOf(named);
      const env = { ...process.env, ...environment };
      const { spawn } = await import("node:child_process");
      const child = spawn(kubectl, args, { stdio: "inherit", env });
      const [status]: unknown[] = await once(child, "close");
      process.exitCode = typeof status === "number" ? status : 255;
    });
}

async function clusterOf(named: Named): Promise<LabClusterAccess> {
  const { cluster } = await open(named);
  if (cluster !== undefined) return cluster;
  throw new AshlarError("not-found", `lab ${named.name} has no cluster`, {
    hint: "`ashlar lab up --cluster` makes one",
  });
}
