import type { Cause, Comparison, NoiseRule } from "@ashlar/audit";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import { printJson } from "@ashlar/host/terminal";
import { withInterruption } from "../interruption.ts";
import { printAudit } from "./print-audit.ts";
import { collectNodes, type CollectSources } from "./collect-nodes.ts";
import { writePage } from "./page/write-page.ts";
import { readNodes, type FailedNode } from "./read-nodes.ts";
import { readUserRules } from "./read-user-rules.ts";

export type AuditOptions = CollectSources & {
  readonly from: string | undefined;
  readonly out: string | undefined;
  readonly baseline: string | undefined;
  readonly rules: string | undefined;
  readonly withoutRules: readonly string[];
  readonly failOn: readonly Cause[];
  readonly html: string | undefined;
  readonly asJson: boolean;
};

/** Collects, compares and prints. @returns the exit status: 0 alike, 1 different, 2 not known to be alike */
export async function runAudit(options: AuditOptions): Promise<number> {
  const rules = await chooseRules(options);
  return options.out === undefined
    ? await withTemporaryDirectory(async (directory) => await auditInto(directory, rules, options))
    : await auditInto(options.out, rules, options);
}

async function auditInto(directory: string, rules: readonly NoiseRule[], options: AuditOptions): Promise<number> {
  const { compareNodes, NodeTable } = await import("@ashlar/audit");
  const collected = await withInterruption(async (signal) => await collectNodes(directory, options, signal));
  const table = new NodeTable();
  const failed = [...collected.failed, ...(await readNodes(table, collected.files, options.from))];
  if (table.rows.length === 0) throw noNodes(failed);
  const comparison = compareNodes(table, { rules, baseline: options.baseline });
  if (options.html !== undefined) await writePage(options.html, comparison, failed);
  if (options.asJson) printJson({ schema: "ashlar.audit/v1", level: "reported", ...comparison, failed });
  else printAudit(comparison, failed);
  return statusOf(comparison, failed, options.failOn);
}

async function chooseRules({ rules: file, withoutRules }: AuditOptions): Promise<readonly NoiseRule[]> {
  const { KNOWN_NOISE } = await import("@ashlar/audit");
  const own = file === undefined ? [] : await readUserRules(file);
  const known = new Set(KNOWN_NOISE.map(({ name }) => name));
  const twice = own.find(({ name }) => known.has(name));
  if (twice !== undefined)
    throw new AshlarError("conflict", `expected another name than that of a known rule, found ${twice.name}`);
  const rules = [...own, ...KNOWN_NOISE];
  const unknown = withoutRules.find((name) => !rules.some((rule) => rule.name === name));
  if (unknown === undefined) return rules.filter(({ name }) => !withoutRules.includes(name));
  throw new AshlarError("usage", `expected the name of a rule after --no-rule, found ${unknown}`, {
    hint: `there are ${rules.map(({ name }) => name).join(", ")}`,
  });
}

function noNodes(failed: readonly FailedNode[]): AshlarError {
  const reasons = failed.map(({ name, problem }) => `${name}: ${problem}`);
  return new AshlarError("unavailable", ["no node could be collected", ...reasons].join("; "));
}

function statusOf({ groups, nodes }: Comparison, failed: readonly FailedNode[], failOn: readonly Cause[]): number {
  const counts = (cause: Cause): boolean => cause !== "unread" && groups.some(({ causes }) => causes[cause].length > 0);
  if (failOn.some(counts)) return 1;
  return failed.length > 0 || nodes.some(({ isComplete }) => !isComplete) ? 2 : 0;
}
