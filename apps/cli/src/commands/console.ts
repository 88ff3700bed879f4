import { Command } from "commander";
import type { ConsoleOptions } from "../console/console-options.ts";
import { parseSeconds } from "../seconds.ts";

const SECONDS_PER_DAY = 86_400;
const DEFAULT_INTERVAL_SECONDS = 60;
const OF_A_ROUND = { least: 5, most: SECONDS_PER_DAY };
const MAX_AGE = { least: 0, most: 999_999_999 };

export function consoleCommand(): Command {
  return new Command("console")
    .description("Show what is proved of nodes in a browser, on this machine alone")
    .option("--lab <name>", "the nodes of a lab")
    .option("--fleet <file>", "the nodes of a fleet.yaml (docs/guides/fleets.md)")
    .option("--from <place>", "evidence kept by `ashlar prove --evidence`; no node is asked")
    .option(
      "--kubeconfig <file>",
      "what ashlar operator has written in a cluster (NodeProofs, Rollouts); no node is asked",
    )
    .option("--context <name>", "the context of the kubeconfig (default: its current-context)")
    .option("--listen <address>", "an address of this machine's own, and a port", "127.0.0.1:0")
    .option(
      "--interval <seconds>",
      "with --lab and --fleet: how long to wait before nodes are asked again",
      parseSeconds("--interval", OF_A_ROUND),
      DEFAULT_INTERVAL_SECONDS,
    )
    .option(
      "--max-age <seconds>",
      "older evidence leaves a node unknown",
      parseSeconds("--max-age", MAX_AGE),
      SECONDS_PER_DAY,
    )
    .option("--json", "print the URL and the token as JSON, in one line")
    .addHelpText(
      "after",
      `
Runs until it is stopped, and prints a URL with a token: whoever has it can look, and nobody can change anything. Port 0 is any
that is free. The page asks for nothing from elsewhere. Through SSH: ssh -L 7480:127.0.0.1:7480 HOST, with --listen 127.0.0.1:7480.

GET /v1/fleet, /v1/nodes/NAME and, of a cluster, /v1/rollouts answer JSON (schemas: fleet-view-v1.json, node-view-v1.json and rollouts-v1.json in
docs/reference/schemas), with the token as "Authorization: Bearer TOKEN" or "?token=TOKEN".

Exit status: 0 when it was stopped; other numbers when there is nothing to show.

Examples:
  ashlar console --lab lab
  ashlar console --fleet fleet.yaml --interval 300
  ashlar console --from out/evidence --listen 127.0.0.1:7480
  ashlar console --kubeconfig ~/.kube/config --json`,
    )
    .action(async (options: ConsoleOptions) => {
      const { runConsole } = await import("../console/run-console.ts");
      await runConsole(options);
    });
}
