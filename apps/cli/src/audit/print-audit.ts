import type { Cause, Causes, Comparison, FileDifference } from "@ashlar/audit";
import { firstOf } from "@ashlar/base";
import { printLine, printLines, styled } from "@ashlar/host/terminal";
import { CAUSE_TITLES } from "./cause-titles.ts";
import {
  BEFORE,
  describeDifference,
  describePackage,
  describeState,
  FIRST_GROUP,
  type Other,
} from "./describe-difference.ts";
import { gapsOf } from "./gaps.ts";
import { headlineOf } from "./headline.ts";
import type { FailedNode } from "./read-nodes.ts";
import { sinceGaps, type Since } from "./since.ts";
import { suggestionLines, type Suggested } from "./suggest.ts";
import { countOf, sizeText } from "./words.ts";

const MAX_SHOWN = 8;
const MAX_NAMES = 12;

export function printAudit(
  comparison: Comparison,
  failed: readonly FailedNode[],
  { since, suggested }: { readonly since: Since | undefined; readonly suggested: Suggested | undefined },
): void {
  const { nodes, groups } = comparison;
  const { counts, reports } = headlineOf(comparison, failed.length);
  printLine(styled("bold", [counts, ...reports].join("; ")));
  for (const { name, problem } of failed) printLine(`not collected: ${name}: ${problem}`);
  for (const [index, group] of groups.entries()) {
    printLine("");
    const first = index === 0 && groups.length > 1 ? "; the others are compared with it" : "";
    printLine(
      styled(
        "bold",
        `group ${index + 1}: ${countOf(group.nodes.length, "node")}: ${firstOf(group.nodes, MAX_NAMES)}${first}`,
      ),
    );
    printLines(linesOf(group.causes).map((line) => `  ${line}`));
  }
  if (since !== undefined) printSince(since);
  if (suggested !== undefined) printLines(["", ...suggestionLines(suggested)]);
  printLines(["", ...nodes.flatMap(gapsOf), ...noiseLines(comparison), ...LEVEL]);
}

const LEVEL = [
  "level: reported. An audit asks the nodes and proves nothing: one that was taken over can say what it likes. What proves is a",
  "measured boot with a quote of the node's TPM: ashlar prove.",
];

function printSince(since: Since): void {
  const { directory, changed, unchanged } = since;
  const compared = changed.length + unchanged.length;
  printLine("");
  printLine(styled("bold", `since ${directory}: ${changed.length} of ${countOf(compared, "node")} changed`));
  for (const { name, causes } of changed) {
    printLine(`  ${name}`);
    printLines(linesOf(causes, BEFORE).map((line) => `    ${line}`));
  }
  printLines(sinceGaps(since).map((gap) => `  ${gap}`));
}

function linesOf(causes: Causes, other: Other = FIRST_GROUP): string[] {
  const { packages, unowned } = causes;
  const size = unowned.reduce((sum, { here }) => sum + (here?.sizeBytes ?? 0), 0);
  const describe = (each: FileDifference): string => describeDifference(each, other);
  return [
    ...listed(titleOf("packages", causes), packages, (each) => describePackage(each, other)),
    ...listed(`${titleOf("unowned", causes)}, ${sizeText(size)} here`, unowned, describe),
    ...(["changed", "metadata", "configuration"] as const).flatMap((cause) =>
      listed(titleOf(cause, causes), causes[cause], describe),
    ),
    ...listed(titleOf("state", causes), causes.state, (each) => describeState(each, other)),
    ...listed(titleOf("unread", causes), causes.unread, describe),
  ];
}

function titleOf(cause: Cause, causes: Causes): string {
  return `${CAUSE_TITLES[cause]}: ${causes[cause].length}`;
}

function listed<T>(title: string, all: readonly T[], describe: (each: T) => string): string[] {
  if (all.length === 0) return [];
  const more = all.length > MAX_SHOWN ? [`  and ${all.length - MAX_SHOWN} more: --json has all`] : [];
  return [title, ...all.slice(0, MAX_SHOWN).map((each) => `  ${describe(each)}`), ...more];
}

function noiseLines({ noise, orders, nodes, isStateCompared }: Comparison): string[] {
  const seen = noise.filter(({ ignored }) => ignored > 0);
  const sum = seen.reduce((total, { ignored }) => total + ignored, 0);
  return [
    ...(isStateCompared ? [] : ["what is in effect was not compared: not all of them run"]),
    ...(orders > 1 ? [`packages came in ${orders} different orders on ${nodes.length} nodes`] : []),
    ...(sum > 0 ? [`not counted: ${countOf(sum, "difference")}, by rules that --no-rule switches off:`] : []),
    ...seen.map(({ name, ignored, reason }) => `  ${ignored}  ${name}: ${reason}`),
  ];
}
