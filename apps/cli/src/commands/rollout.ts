import { AshlarError } from "@ashlar/base";
import { Command, Option } from "commander";
import { OUTPUT_FORMS } from "../proof/output-form.ts";
import type { AbortOptions, ResumeOptions, RolloutOptions, StatusOptions } from "../rollout/rollout-options.ts";
import type { PlanOptions } from "../rollout/run-plan.ts";

/** RFC 1123, as names of Rollouts are. */
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/u;

export function rolloutCommand(): Command {
  return new Command("rollout")
    .description("See, plan and steer Rollouts of a cluster, which ashlar operator carries out; with your own rights")
    .addCommand(statusCommand())
    .addCommand(planCommand())
    .addCommand(approveCommand())
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())
    .addCommand(abortCommand());
}

function withOutput(command: Command): Command {
  return withCluster(
    command
      .addOption(new Option("-o, --output <form>", "how to print it").choices(OUTPUT_FORMS))
      .addOption(new Option("--json", "the same as -o json").conflicts("output")),
  );
}

function withCluster(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "which cluster (default: $KUBECONFIG or ~/.kube/config)")
    .option("--context <name>", "the context of the kubeconfig (default: its current-context)");
}

function statusCommand(): Command {
  return withOutput(
    new Command("status")
      .description("Print how far Rollouts are; of one, each node's step and what it waits for, wave by wave")
      .argument("[rollout]", "the name of one (default: all)"),
  )
    .option("-w, --watch", "go on, and print what changes: of one until it has come to its end, else until Ctrl-C")
    .addHelpText(
      "after",
      `
-o wide has also the release that each node came from, and how many drains did not end. -o json and -o yaml print all of it (schema
ashlar.rollouts/v1), with --watch a line or a document for each Rollout that has changed.

Exit status: 0 it is Done; 1 it has halted, or was aborted or deleted; 2 it has not come to its end. Without a name: 1 when one has halted,
2 when one goes on, else 0.

Examples:
  ashlar rollout status
  ashlar rollout status to-1-1-0 -o wide
  ashlar rollout status to-1-1-0 --watch
  ashlar rollout status -o json --context prod`,
    )
    .action(async (name: string | undefined, options: StatusOptions) => {
      const { runStatus } = await import("../rollout/run-status.ts");
      process.exitCode = await runStatus(checked(name), options);
    });
}

function planCommand(): Command {
  return withCluster(
    new Command("plan")
      .description("Print which nodes a Rollout takes in which order, and what would keep each; nothing of it happens")
      .argument("<rollout>", "its name; one that shall not begin yet has `paused: true`")
      .option("--json", "print JSON (schema ashlar.rollout-plan/v1)"),
  )
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
      process.exitCode = await runPlan(checked(name), options);
    });
}

function approveCommand(): Command {
  return withOutput(
    new Command("approve")
      .description("Let a wave begin, where a Rollout has approval: each-wave")
      .argument("<rollout>", "its name")
      .argument("[wave]", "its name (default: the one that waits for it now)"),
  )
    .addHelpText(
      "after",
      `
An approval stays: it is written into approvedWaves of the Rollout. Waves can be approved before they wait.

Examples:
  ashlar rollout approve to-1-1-0
  ashlar rollout approve to-1-1-0 zone-a`,
    )
    .action(async (name: string, wave: string | undefined, options: RolloutOptions) => {
      const { runChange } = await import("../rollout/run-change.ts");
      const { approving } = await import("../rollout/rollout-changes.ts");
      process.exitCode = await runChange(checked(name), options, approving(wave));
    });
}

function pauseCommand(): Command {
  return withOutput(
    new Command("pause")
      .description("Begin no further node of a Rollout; who has begun goes on to its end")
      .argument("<rollout>", "its name"),
  )
    .addHelpText(
      "after",
      `
Another Rollout of the class may go on then.

Examples:
  ashlar rollout pause to-1-1-0`,
    )
    .action(async (name: string, options: RolloutOptions) => {
      const { runChange } = await import("../rollout/run-change.ts");
      const { pausing } = await import("../rollout/rollout-changes.ts");
      process.exitCode = await runChange(checked(name), options, pausing);
    });
}

function resumeCommand(): Command {
  return withOutput(
    new Command("resume")
      .description("Let a Rollout go on that is paused, or with --retry one that has halted")
      .argument("<rollout>", "its name"),
  )
    .option("--retry", "end a halt, and try again what has failed")
    .addHelpText(
      "after",
      `
Examples:
  ashlar rollout resume to-1-1-0
  ashlar rollout resume to-1-1-0 --retry`,
    )
    .action(async (name: string, options: ResumeOptions) => {
      const { runChange } = await import("../rollout/run-change.ts");
      const { resuming } = await import("../rollout/rollout-changes.ts");
      process.exitCode = await runChange(checked(name), options, resuming(options.retry === true));
    });
}

function abortCommand(): Command {
  return withOutput(
    new Command("abort")
      .description("End a Rollout for good, and wait until its nodes have come home")
      .argument("<rollout>", "its name"),
  )
    .option("--no-wait", "do not wait for that")
    .addHelpText(
      "after",
      `
Nobody is begun any more, what was drained takes pods again, and what restarts is waited for. Nodes that have got to the release stay there,
and it stays right for them as long as the Rollout is there; to go back, make another one (reverse: true). Ctrl-C ends the waiting, and
not the abort.

Examples:
  ashlar rollout abort to-1-1-0
  ashlar rollout abort to-1-1-0 --no-wait`,
    )
    .action(async (name: string, options: AbortOptions) => {
      const { runAbort } = await import("../rollout/run-change.ts");
      process.exitCode = await runAbort(checked(name), options);
    });
}

function checked<Name extends string | undefined>(name: Name): Name {
  if (name === undefined || NAME.test(name)) return name;
  throw new AshlarError("usage", `expected the name of a Rollout, found ${name}`);
}
