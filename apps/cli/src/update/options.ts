import type { Command } from "commander";
import { filesDirOption } from "../class-config.ts";
import { parseSeconds } from "../seconds.ts";

/** A node under emulation takes minutes for a boot, and a release gets three before the old one comes back. */
const DEFAULT_TIMEOUT_SECONDS = 2700;

/** What the commands are told alike that give nodes orders. */
export function withSessionOptions(command: Command, schema: string = "schemas/update-result-v1.json"): Command {
  return command
    .option("--operator-key <file>", "the key that the nodes take orders from (default: the lab's)")
    .option("--releases <place>", "the repository, a directory or an http(s) URL (default: the lab's)")
    .option("--release-root <file>", "release-root.json: whose releases are trusted (default: the lab's)")
    .option("--image <dir>", "the release of nodes that were never updated (default: the lab's)")
    .option("--extension <place...>", "manifests of published extensions, or directories of them")
    .option("--config <file>", "the class config: Butane, or Ignition when it ends in .ign (default: the lab's)")
    .addOption(filesDirOption())
    .option("--node-configs <dir>", "for nodes outside a lab: each node's own Ignition config as NAME.ign")
    .option(
      "--ek-roots <place>",
      "trusted TPM makers: a file or directory of certificates (default: the lab's, or `ashlar trust list`)",
    )
    .option("--cloud-roots <place>", "the same of clouds, for virtual TPMs (default: `ashlar trust list`)")
    .option("--fetch-intermediates", "at enrolment, ask the URLs in TPMs' certificates for those of their issuers")
    .option("--accept-expired-ek", "accept makers' certificates that have expired; each is named")
    .option("--pins <file>", "the TPMs that were enrolled (default: the lab's, or the user's)")
    .option(
      "--timeout <seconds>",
      "how long a node may take from an order until it is ready; also for a restart with all its tries",
      parseSeconds("--timeout", { least: 1, most: 9_999_999 }),
      DEFAULT_TIMEOUT_SECONDS,
    )
    .option("--json", `print the result as JSON (schema: docs/reference/${schema})`);
}
