import { Command } from "commander";
import { parseSeconds } from "../seconds.ts";
import type { WatchOptions } from "../watch/watch-options.ts";

const SECONDS_PER_DAY = 86_400;
const DEFAULT_INTERVAL_SECONDS = 3600;
const INTERVAL = { least: 5, most: SECONDS_PER_DAY };
const MAX_AGE = { least: 1, most: 999_999_999 };

export function watchCommand(): Command {
  return new Command("watch")
    .description("Prove the nodes of a fleet again and again, remember it, and tell when something changes")
    .requiredOption("--fleet <file>", "the nodes of a fleet.yaml (docs/guides/fleets.md)")
    .option("--listen <address>", "where to answer: an address and a port", "127.0.0.1:7490")
    .option(
      "--token-file <file>",
      "who has the token in this file may look; needed for an address that others can reach",
    )
    .option("--state <file>", "what it remembers, an SQLite file (default: watch.sqlite in the user's state directory)")
    .option(
      "--interval <seconds>",
      "how often each node is asked",
      parseSeconds("--interval", INTERVAL),
      DEFAULT_INTERVAL_SECONDS,
    )
    .option(
      "--max-age <seconds>",
      "older evidence leaves a node unknown (default: three intervals)",
      parseSeconds("--max-age", MAX_AGE),
    )
    .option(
      "--webhooks <file>",
      "where to tell of changes: a line for each, slack or cloudevents, then a name and an URL",
    )
    .option("--json", "print where it listens as JSON, in one line")
    .addHelpText(
      "after",
      `
Runs until it is stopped. Each node is asked at its interval, up to a fifth of it earlier so that they do not stay in step; one that is
silent is asked again after 10 s, then ever more slowly. A verdict holds for --max-age after its question, whatever it is: then the node is
unknown. So after a longer absence all nodes are unknown until they have answered. What it knows survives any end, kill -9 too.
The fleet file, and what it names, is read again each minute; while that fails, what was read before counts.

GET /metrics is for Prometheus (docs/reference/metrics.md), /healthz says whether the process works (not whether nodes are right),
/v1/fleet and /v1/nodes/NAME answer the JSON of ashlar console. An address of this machine alone (127.0.0.1, ::1) needs no token; any other
one needs --token-file, and then all but /healthz wants "Authorization: Bearer TOKEN". The connection is not encrypted.

A change of a node's level is told to each webhook of the file, at least once and in order; what does not arrive is sent again. The file
is as secret as the URLs in it, for example:

  slack       team     https://hooks.slack.com/services/T000/B000/XXXX
  cloudevents pipeline https://events.example.org/ashlar

Exit status: 0 when it was stopped; other numbers when it could not begin, or its state cannot be written.

Examples:
  ashlar watch --fleet fleet.yaml
  ashlar watch --fleet fleet.yaml --interval 600 --max-age 3600 --webhooks webhooks.txt
  ashlar watch --fleet fleet.yaml --listen 0.0.0.0:7490 --token-file token`,
    )
    .action(async (options: WatchOptions) => {
      const { runWatch } = await import("../watch/run-watch.ts");
      await runWatch(options);
    });
}
