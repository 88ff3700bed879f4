import type { KeyObject } from "node:crypto";
import { resolve } from "node:path";
import type { Cause, Comparison, NoiseRule } from "@ashlar/audit";
import { AshlarError } from "@ashlar/base";
import { withTemporaryDirectory } from "@ashlar/host";
import type { Signer } from "@ashlar/statements";
import { printJson } from "@ashlar/host/terminal";
import { withInterruption } from "../interruption.ts";
import { printAudit } from "./print-audit.ts";
import { collectNodes, type CollectSources } from "./collect-nodes.ts";
import { writePage } from "./page/write-page.ts";
import { readNodes, type FailedNode } from "./read-nodes.ts";
import { readUserRules } from "./read-user-rules.ts";
import { keptSnapshots, signDirectory, type KeptSnapshots } from "./signed-snapshots.ts";
import { SinceComparison, type Since } from "./since.ts";
import { suggestButane } from "./suggest.ts";

export type AuditOptions = CollectSources & {
  readonly from: string | undefined;
  readonly out: string | undefined;
  readonly baseline: string | undefined;
  readonly rules: string | undefined;
  readonly withoutRules: readonly string[];
  readonly failOn: readonly Cause[];
  readonly html: string | undefined;
  /** Snapshots of the same nodes from before. */
  readonly since: string | undefined;
  /** Where the first group's configuration is written as a class. */
  readonly suggestButane: string | undefined;
  /** Signs the snapshots that are kept. */
  readonly signer: Signer | undefined;
  /** Of snapshots from before only those count that this key has signed. */
  readonly signedBy: KeyObject | undefined;
  readonly asJson: boolean;
};

/** Collects, compares and prints. @returns the exit status: 0 alike, 1 different, 2 not known to be alike */
export async function runAudit(options: AuditOptions): Promise<number> {
  refuseSamePlace(options);
  refuseNothingSigned(options);
  const rules = await chooseRules(options);
  return options.out === undefined
    ? await withTemporaryDirectory(async (directory) => await auditInto(directory, rules, options))
    : await auditInto(options.out, rules, options);
}

async function auditInto(directory: string, rules: readonly NoiseRule[], options: AuditOptions): Promise<number> {
  const { compareNodes, NodeTable } = await import("@ashlar/audit");
  const collected = await withInterruption(async (signal) => await collectNodes(directory, options, signal));
  const table = new NodeTable();
  const { from, since: before, signedBy } = options;
  const kept: KeptSnapshots = from === undefined ? { files: [], missing: [] } : await keptSnapshots(from, signedBy);
  const names = new Set(collected.files.map(({ name }) => name));
  const isOther = ({ name }: { readonly name: string }): boolean => !names.has(name);
  // Each node once; what was collected now goes first.
  const paths = [...collected.files, ...kept.files.filter(isOther)];
  const earlier = before === undefined ? undefined : await SinceComparison.open(before, rules, signedBy);
  const unread = await readNodes(table, paths, async (...each) => await earlier?.add(...each));
  const failed = [...collected.failed, ...kept.missing.filter(isOther), ...unread];
  if (table.rows.length === 0) throw noNodes(failed);
  const comparison = compareNodes(table, { rules, baseline: options.baseline });
  const since = earlier?.result(paths, unread);
  if (options.signer !== undefined) await signDirectory(directory, options.signer);
  const suggested =
    options.suggestButane === undefined
      ? undefined
      : await suggestButane(options.suggestButane, comparison, { paths, roots: options.roots, rules });
  if (options.html !== undefined) await writePage(options.html, comparison, failed, since);
  if (options.asJson)
    printJson({ schema: "ashlar.audit/v1", level: "reported", ...comparison, failed, since, suggested });
  else printAudit(comparison, failed, { since, suggested });
  return statusOf(comparison, failed, since, options.failOn);
}

/** What is collected now would take the place of what was there before. */
function refuseSamePlace({ since, from, out }: AuditOptions): void {
  if (since === undefined) return;
  for (const [option, directory] of [
    ["--out", out],
    ["--from", from],
  ])
    if (directory !== undefined && resolve(directory) === resolve(since))
      throw new AshlarError(
        "usage",
        `expected another directory for --since than for ${option}, found ${since} for both`,
      );
}

function refuseNothingSigned({ signer, signedBy, out, from, since }: AuditOptions): void {
  if (signer !== undefined && out === undefined)
    throw new AshlarError(
      "usage",
      "expected --out, where snapshots are kept that --key or --sign-with signs, found none",
    );
  if (signedBy !== undefined && from === undefined && since === undefined)
    throw new AshlarError("usage", "expected --from or --since with snapshots that were signed, found neither");
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

function statusOf(
  { groups, nodes }: Comparison,
  failed: readonly FailedNode[],
  since: Since | undefined,
  failOn: readonly Cause[],
): number {
  const lists = [...groups, ...(since?.changed ?? [])];
  const counts = (cause: Cause): boolean => cause !== "unread" && lists.some(({ causes }) => causes[cause].length > 0);
  if (failOn.some(counts)) return 1;
  const gaps = [...failed, ...(since === undefined ? [] : [...since.failed, ...since.incomplete])];
  return gaps.length > 0 || nodes.some(({ isComplete }) => !isComplete) ? 2 : 0;
}
