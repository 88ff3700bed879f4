import { AshlarError } from "@ashlar/base";
import { Command } from "commander";
import type { ExplainOptions } from "../explain/run-explain.ts";
import { withProveOptions } from "../prove/with-prove-options.ts";

export function explainCommand(): Command {
  const command = new Command("explain")
    .description("Say why nodes differ: release, extensions, configuration, firmware, from what was measured")
    .option("--certificate <files...>", "the nodes of a certificate, or what changed from one to a later one")
    .option("--key <file>", "with --certificate: the public key of whoever is believed")
    .option("--configs <files...>", "class configs that nodes may have: Butane, or Ignition when they end in .ign");
  return withProveOptions(command)
    .option("--html <file>", "write the explanation as one page, too")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Nodes are grouped by identity, and each group is compared with the largest one. That they differ, and in which of these, was measured;
the details come from manifests (packages, files, boot chain), from --configs and the fleet's classes (keys with their lines), and
from the evidence (firmware). No node is logged in to. What is not known is said to be so.

Exit status: 0 all nodes are proven and have one identity; 1 they differ; 2 they do not, as far as is known.

Examples:
  ashlar explain --fleet fleet.yaml
  ashlar explain --from evidence.tar --html explained.html
  ashlar explain --from out/evidence --releases https://releases.example.org/ --release-root release-root.json --configs worker.bu
  ashlar explain --certificate cert.json --key certify.pub --image out/1.0.0
  ashlar explain --certificate monday.json tuesday.json --key certify.pub --json`,
    )
    .action(async (options: ExplainOptions) => {
      if ((options.certificate?.length ?? 0) > 2)
        throw new AshlarError("usage", "expected one certificate, or an earlier and a later one, after --certificate");
      const { runExplain } = await import("../explain/run-explain.ts");
      process.exitCode = await runExplain(options);
    });
}
