import { Command } from "commander";
import type { PlanOptions } from "../rollout/run-plan.ts";

export function rolloutCommand(): Command {
  return new Command("rollout").description("Rollouts in a Kubernetes cluster").addCommand(planCommand());
}

function planCommand(): Command {
  return new Command("plan")
    .description("Print which nodes a Rollout takes in which order, and what would keep each; nothing of it happens")
    .argument("<name>", "the name of a Rollout; one that shall not begin yet has `paused: true`")
    .option("--json", "print JSON (schema ashlar.rollout-plan/v1)")
    .option("--kubeconfig <file>", "which cluster (default: $KUBECONFIG or ~/.kube/config)")
    .option("--context <name>", "the context of the kubeconfig (default: its current-context)")
    .addHelpText(
      "after",
      `
The plan is that of a Rollout which begins now: nodes that are proven at the release are done, and each other one is looked at as if it were its
turn. It is made by the functions that ashlar operator decides by, of what the API server has; no node is asked. What only the operator
knows, gates and kubelets that the API server does not support, it has written into the Rollout's status, and that is shown, too.
Needed are the rights to read Nodes, NodeClasses, NodeProofs and Rollouts.

Exit status: 0 nothing is known that keeps it; 1 something keeps it, or a node of it.

Examples:
  ashlar rollout plan to-1-1-0
  ashlar rollout plan to-1-1-0 --json --context prod`,
    )
    .action(async (name: string, options: PlanOptions) => {
      const { runPlan } = await import("../rollout/run-plan.ts");
      process.exitCode = await runPlan(name, options);
    });
}
