import { AshlarError } from "@ashlar/base";
import { Command, Option } from "commander";
import type { AuditOptions } from "../audit/run-audit.ts";
import { withSignerOptions, type SignerOptions } from "../certificate/signer-options.ts";
import { parseSeconds } from "../seconds.ts";

/** As in @ashlar/audit, which help does not load. A test compares them. */
export const CAUSE_NAMES: AuditOptions["failOn"] = [
  ...(["packages", "unowned", "changed", "metadata", "configuration", "state", "unread"] as const),
];

const DEFAULT_PATIENCE_SECONDS = 600;
const DEFAULT_PARALLEL = 20;
const MAX_PARALLEL = 200;
/** Where clusters that keep pods from their nodes' files allow it. */
const DEFAULT_NAMESPACE = "kube-system";
const DEFAULT_IMAGE = "docker.io/library/busybox:stable";

export function auditCommand(): Command {
  return withSignerOptions(new Command("audit"))
    .description("Find out how nodes of any distribution differ, and why")
    .option("--root <dirs...>", "trees of nodes: mounted disks, chroots, / for this machine")
    .option("--ssh <hosts...>", "nodes that OpenSSH reaches, with your own configuration and without a question")
    .option("-f, --file <file>", "more such nodes, one on a line")
    .option(
      "--kubernetes",
      "the nodes of the cluster that kubectl reaches, each by a pod that may read and nothing else",
    )
    .option("--context <name>", "with --kubernetes: a context of the kubeconfig")
    .option("--selector <labels>", "with --kubernetes: only nodes with these labels")
    .option("--namespace <name>", "with --kubernetes: where the pods are made", DEFAULT_NAMESPACE)
    .option(
      "--image <image>",
      "with --kubernetes: an image with sh, chroot and sleep: a mirror, perhaps",
      DEFAULT_IMAGE,
    )
    .option("--from <dir>", "snapshots that were collected before, or by hand")
    .option("--out <dir>", "keep what is collected there; a node whose snapshot is there is not asked again")
    .option("--again", "ask also the nodes whose snapshots are in --out")
    .option("--parallel <count>", "how many nodes to ask at a time", parseParallel, DEFAULT_PARALLEL)
    .option("--ssh-config <file>", "a configuration for OpenSSH in place of your own")
    .option("--since <dir>", "say also what has changed on each node since these snapshots of it")
    .option(
      "--signed-by <file>",
      "of the snapshots in --from and --since take only those that this public key has signed",
    )
    .option("--suggest-butane <dir>", "write what the first group's configuration amounts to, as a class of nodes")
    .option("--html <file>", "write the report as one page, too")
    .option("--baseline <node>", "compare the others with this one (default: one of the largest group)")
    .option("--rules <file>", "more rules for what may differ, as YAML")
    .option("--no-rule <names...>", "count also what these rules leave out")
    .addOption(
      new Option("--fail-on <causes...>", "status 1 only for differences of these causes (default: for any)").choices(
        CAUSE_NAMES,
      ),
    )
    .option(
      "--patience <seconds>",
      "give up on a node that sends nothing for so long",
      parseSeconds("--patience", { least: 1, most: 99_999 }),
      DEFAULT_PATIENCE_SECONDS,
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Compares what executes or decides what executes: files below /usr, /etc, /opt, /boot and /root with modes and owners, packages, and of /
also what is in effect. Nothing is installed or changed; as root it sees all (sudo is used where it asks for no password). Nodes say it
of themselves, and nothing is proved by it.

Exit status: 0 all are alike (and as before, with --since), 1 they differ, 2 they do not, as far as could be looked at.

Examples:
  ashlar audit --ssh node-1 node-2 admin@node-3 --out snapshots
  ashlar audit --file hosts.txt --out snapshots --html report.html
  ashlar audit --kubernetes --selector node-role.kubernetes.io/worker --out snapshots
  ashlar audit --root /mnt/node-1 /mnt/node-2
  ashlar audit --root / --out snapshots
  ashlar audit --file hosts.txt --out today --since last-week
  ashlar audit --file hosts.txt --out snapshots --key audit.pem
  ashlar audit --from snapshots --signed-by audit.pub --suggest-butane class
  ashlar audit --from snapshots --baseline node-1 --json
  ashlar audit --from snapshots --fail-on packages changed --no-rule initrd`,
    )
    .action(async (given: GivenOptions) => {
      const { runAudit } = await import("../audit/run-audit.ts");
      const { readHosts } = await import("../audit/read-hosts.ts");
      const { root = [], ssh = [], file, from, out, baseline, rules, rule, failOn, patience, json } = given;
      const hosts = [...ssh, ...(file === undefined ? [] : await readHosts(file))];
      const cluster = clusterOf(given);
      if (root.length === 0 && hosts.length === 0 && cluster === undefined && from === undefined) {
        const hint = "give --ssh, --file, --kubernetes, --root or --from";
        throw new AshlarError("usage", "expected nodes to compare, found none", { hint });
      }
      process.exitCode = await runAudit({
        roots: root,
        hosts,
        sshConfig: given.sshConfig,
        cluster,
        parallel: given.parallel,
        again: given.again === true,
        html: given.html,
        since: given.since,
        suggestButane: given.suggestButane,
        signer: await signerOf(given),
        signedBy: given.signedBy === undefined ? undefined : await readKey(given.signedBy),
        from,
        out,
        baseline,
        rules,
        withoutRules: rule === true ? [] : rule,
        failOn: failOn ?? CAUSE_NAMES,
        patienceMs: patience * 1000,
        asJson: json === true,
      });
    });
}

/** @throws AshlarError `usage`, and what reading keys throws */
async function signerOf(given: SignerOptions): Promise<AuditOptions["signer"]> {
  if ([given.key, given.signWith, given.publicKey, given.passphraseFile].every((each) => each === undefined))
    return undefined;
  const { openSigner } = await import("../certificate/open-signer.ts");
  return await openSigner(given);
}

async function readKey(path: string): Promise<AuditOptions["signedBy"]> {
  const { readPublicKey } = await import("../certificate/read-certificate.ts");
  return await readPublicKey(path);
}

type GivenOptions = SignerOptions & {
  readonly signedBy?: string;
  readonly root?: readonly string[];
  readonly ssh?: readonly string[];
  readonly file?: string;
  readonly sshConfig?: string;
  readonly kubernetes?: true;
  readonly context?: string;
  readonly selector?: string;
  readonly namespace: string;
  readonly image: string;
  readonly parallel: number;
  readonly again?: true;
  readonly html?: string;
  readonly since?: string;
  readonly suggestButane?: string;
  readonly from?: string;
  readonly out?: string;
  readonly baseline?: string;
  readonly rules?: string;
  /** Commander's word for --no-rule: true when it is not given. */
  readonly rule: true | readonly string[];
  readonly failOn?: AuditOptions["failOn"];
  readonly patience: number;
  readonly json?: true;
};

function clusterOf({ kubernetes, context, selector, namespace, image }: GivenOptions): AuditOptions["cluster"] {
  if (kubernetes === true) return { context, selector, namespace, image };
  if (context === undefined && selector === undefined) return undefined;
  throw new AshlarError("usage", "expected --kubernetes beside --context and --selector, found them alone");
}

function parseParallel(text: string): number {
  const count = /^[0-9]{1,3}$/u.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_PARALLEL) return count;
  throw new AshlarError("usage", `expected --parallel with 1 to ${MAX_PARALLEL} nodes, found ${text}`);
}
