import { AshlarError } from "@ashlar/base";
import { Command, Option } from "commander";
import type { AuditOptions } from "../audit/run-audit.ts";

/** As in @ashlar/audit, which help does not load. A test compares them. */
export const CAUSE_NAMES: AuditOptions["failOn"] = [
  ...(["packages", "unowned", "changed", "metadata", "configuration", "state", "unread"] as const),
];

const DEFAULT_PATIENCE_SECONDS = 600;

export function auditCommand(): Command {
  return new Command("audit")
    .description("Find out how nodes of any distribution differ, and why")
    .option("--root <dirs...>", "trees of nodes: mounted disks, chroots, / for this machine")
    .option("--from <dir>", "snapshots that were collected before, or by hand")
    .option("--out <dir>", "keep what is collected there, for --from")
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
      parseSeconds,
      DEFAULT_PATIENCE_SECONDS,
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Compares what executes or decides what executes: files below /usr, /etc, /opt, /boot and /root with modes and owners, packages, and of /
also what is in effect. Nothing is installed or changed; as root it sees all. Nodes say it of themselves, and nothing is proved by it.

On a node that is elsewhere: ssh -T NODE sudo -n sh -s < packages/audit/src/collect/collect.sh > DIR/NODE.snapshot

Exit status: 0 all are alike, 1 they differ, 2 they do not, as far as could be looked at.

Examples:
  ashlar audit --root /mnt/node-1 /mnt/node-2
  ashlar audit --root / --out snapshots
  ashlar audit --from snapshots --baseline node-1 --json
  ashlar audit --from snapshots --fail-on packages changed --no-rule initrd`,
    )
    .action(async (given: GivenOptions) => {
      const { runAudit } = await import("../audit/run-audit.ts");
      const { root = [], from, out, baseline, rules, rule, failOn, patience, json } = given;
      if (root.length === 0 && from === undefined)
        throw new AshlarError("usage", "expected nodes to compare, found none", { hint: "give --root or --from" });
      process.exitCode = await runAudit({
        roots: root,
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

type GivenOptions = {
  readonly root?: readonly string[];
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

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^[0-9]{1,5}$/u.test(text) && seconds > 0) return seconds;
  throw new AshlarError("usage", `expected --patience with 1 to 99999 seconds, found ${text}`);
}
