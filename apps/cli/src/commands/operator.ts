import { reportLine } from "@ashlar/host/terminal";
import { Command } from "commander";
import { withInterruption } from "../interruption.ts";
import { readListen } from "../watch/read-listen.ts";

type OperatorOptions = {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly listen?: string;
  readonly tokenFile?: string;
};

export function operatorCommand(): Command {
  return new Command("operator")
    .description("Prove the nodes of a Kubernetes cluster again and again, say so there, and carry Rollouts out")
    .option("--kubeconfig <file>", "which cluster (default: the pod's own; else $KUBECONFIG or ~/.kube/config)")
    .option("--context <name>", "the context of the kubeconfig (default: its current-context)")
    .option(
      "--namespace <name>",
      "where its Lease is, and what NodeClasses refer to (default: the pod's own; else ashlar-system)",
    )
    .option("--listen <address>", "where to answer for metrics and health, an address and a port (default: nowhere)")
    .option("--token-file <file>", "who has the token in it may read the metrics: needed where others can connect")
    .addHelpText(
      "after",
      `
Runs until it is stopped. A NodeClass says which nodes there are and what they were declared to be; each is asked for
evidence at its class's interval. The verdict is written to the NodeProof of the node's name and, for people, to the
Node: condition AshlarProven, label ashlar.dev/release, annotation ashlar.dev/identity. A Rollout takes the nodes of a
class to a release: each is drained, restarted and proven, and the Rollout's status says how far it is and what it waits
for (docs/guides/rollouts.md). A NodeClass may say that nodes which are not proven are tainted, so that they get no work.
Without Rollouts and that nothing else is changed. Of several operators one works and the others
wait. deploy/ has what the cluster needs; docs/guides/operator.md explains it.

With --listen it answers GET /metrics (docs/reference/metrics.md), /healthz and /readyz.

Exit status: 0 when it was stopped; other numbers when the cluster cannot be read or does not let it.

Examples:
  ashlar operator
  ashlar operator --kubeconfig operator.kubeconfig --namespace ashlar-system
  ashlar operator --listen 127.0.0.1:7491`,
    )
    .action(async (options: OperatorOptions) => {
      const { runOperator } = await import("@ashlar/operator");
      const { listen: address, tokenFile, ...choice } = options;
      const listen = address === undefined ? undefined : await readListen(address, tokenFile);
      await withInterruption(
        async (signal) => await runOperator({ ...choice, listen, signal, onLine: (line) => reportLine(line) }),
      );
    });
}
