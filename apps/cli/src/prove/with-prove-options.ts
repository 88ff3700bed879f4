import type { Command } from "commander";
import { filesDirOption } from "../class-config.ts";
import { withClusterOptions } from "../cluster/cluster-options.ts";
import { parseSeconds } from "../seconds.ts";

const SECONDS_PER_DAY = 86_400;
const MAX_AGE = { least: 0, most: 999_999_999 };

/**
 * What every command takes that proves nodes: which ones, what they were declared to be, whom to trust.
 *
 * @param manifestsFlag of extensions' manifests, where `--extension` means something else
 */
export function withProveOptions(command: Command, manifestsFlag: string = "--extension"): Command {
  command
    .option("--lab <name>", "the nodes of a lab")
    .option("--nodes <urls>", "https URLs of nodes' agents, separated by commas");
  return withClusterOptions(command)
    .option(
      "--fleet <file>",
      "the nodes of a fleet.yaml, with their classes (schema: docs/reference/schemas/fleet-v1.json)",
    )
    .option(
      "--from <place>",
      "evidence kept by --evidence, a directory or an archive, judged again without asking any node",
    )
    .option(
      "--image <dir>",
      "the release that all nodes should run (default: what `ashlar update` has recorded, the lab's, or the evidence's)",
    )
    .option("--known-image <dir...>", "other releases that nodes may boot next, or run instead")
    .option(
      "--releases <place>",
      "a repository, directory or http(s) URL, whose releases and extensions are known (default: the lab's)",
    )
    .option("--release-root <file>", "release-root.json: whose releases are trusted (default: the lab's)")
    .option(`${manifestsFlag} <place...>`, "manifests of published extensions, or directories of them")
    .option("--config <file>", "the class config: Butane, or Ignition when it ends in .ign (default: the lab's)")
    .addOption(filesDirOption())
    .option("--node-configs <dir>", "with --nodes: each node's own Ignition config as NAME.ign")
    .option(
      "--ek-roots <place>",
      "trusted TPM makers: a file or directory of certificates (default: the lab's, the evidence's, or `ashlar trust list`)",
    )
    .option(
      "--cloud-roots <place>",
      "the same of clouds, for virtual TPMs (default: the evidence's, or `ashlar trust list`)",
    )
    .option("--fetch-intermediates", "at enrolment, ask the URLs in TPMs' certificates for those of their issuers")
    .option("--accept-expired-ek", "accept makers' certificates that have expired; each is named in the verdict")
    .option("--pins <file>", "the TPMs that were enrolled (default: the lab's, the user's, or the evidence's)")
    .option("--certify-ek <file>", "EKs of TPMs without a certificate that you vouch for: a list of ashlar trust vouch")
    .option("--certify-key <pin>", "with --certify-ek: whose list it is, sha256:... as ashlar operator-key prints it")
    .option(
      "--firmware-policy <file>",
      "firmware that is known to be good, by model and version, beside what is pinned",
    )
    .option(
      "--max-age <seconds>",
      "older evidence leaves a node unknown",
      parseSeconds("--max-age", MAX_AGE),
      SECONDS_PER_DAY,
    )
    .option(
      "--evidence <place>",
      "keep each node's raw evidence, in files that other programs can check: a directory, or NAME.tar",
    );
}
