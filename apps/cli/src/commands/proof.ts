import { AshlarError } from "@ashlar/base";
import { Command, Option } from "commander";
import { OUTPUT_FORMS, type ProofOptions } from "../proof/output-form.ts";

/** RFC 1123, as names of Nodes are: anything else in a field selector would be another question. */
const NODE_NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/u;

export function proofCommand(): Command {
  return new Command("proof")
    .description("Print what ashlar operator has proved of a cluster's nodes (NodeProofs); no node is asked")
    .argument("[nodeproof]", "the name of one node (default: all)")
    .addOption(new Option("-o, --output <form>", "how to print it").choices(OUTPUT_FORMS))
    .addOption(new Option("--json", "the same as -o json").conflicts("output"))
    .option("-w, --watch", "go on, and print what changes, until Ctrl-C")
    .option("--kubeconfig <file>", "which cluster (default: $KUBECONFIG or ~/.kube/config)")
    .option("--context <name>", "the context of the kubeconfig (default: its current-context)")
    .addHelpText(
      "after",
      `
A proof holds for as long as its NodeClass says (proof.freshnessSeconds), by this computer's clock: then the node is unknown, whatever the
resource says, since nobody may be writing it any more. A mismatch stays one. Where NodeClasses may not be read, a proof holds for an hour.

-o json and -o yaml print all differences, extensions and ages (schema ashlar.node-proofs/v1); -o name prints what kubectl takes. With
--watch each change is one line of JSON, or one YAML document.

Exit status: 0 all are proven; 1 there is a mismatch, also of a next boot; 2 not all are known; with --watch 0 when it was stopped.

Examples:
  ashlar proof
  ashlar proof worker-1 -o yaml
  ashlar proof -o wide --watch
  ashlar proof -o json --context prod`,
    )
    .action(async (name: string | undefined, options: ProofOptions) => {
      if (name !== undefined && !NODE_NAME.test(name))
        throw new AshlarError("usage", `expected the name of a Node, found ${name}`);
      const { runProof } = await import("../proof/run-proof.ts");
      process.exitCode = await runProof(name, options);
    });
}
