import type { Causes, Comparison, FileDifference } from "@ashlar/audit";
import { firstOf } from "@ashlar/base";
import { printLine, printLines, styled } from "@ashlar/host/terminal";
import { describeDifference, describePackage } from "./describe-difference.ts";
import type { FailedNode } from "./read-nodes.ts";
import { countOf, sizeText } from "./words.ts";

const MAX_SHOWN = 8;
const MAX_NAMES = 12;

export function printAudit(comparison: Comparison, failed: readonly FailedNode[]): void {
  const { nodes, groups } = comparison;
  printLine(styled("bold", headline(comparison, failed.length)));
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
  printLines(["", ...nodes.flatMap(gapsOf), ...noiseLines(comparison), ...LEVEL]);
}

const LEVEL = [
  "level: reported. An audit asks the nodes and proves nothing: one that was taken over can say what it likes. What proves is a",
  "measured boot with a quote of the node's TPM: ashlar prove.",
];

/** "100 nodes, 37 filesystems; all report Debian 13.2, kernel 6.12.0, kubelet v1.33.4" */
function headline({ nodes, groups, filesystems }: Comparison, failed: number): string {
  const counts = [countOf(nodes.length, "node"), countOf(filesystems, "filesystem")];
  if (groups.length !== filesystems) counts.push(`${countOf(groups.length, "group")} with what is in effect`);
  const kinds = [
    { label: "", values: nodes.map(({ facts }) => facts.system) },
    { label: "kernel ", values: nodes.map(({ facts }) => facts.kernel) },
    { label: "kubelet ", values: nodes.map(({ facts }) => facts.kubelet) },
  ];
  const told = kinds.map(({ label, values }) => ({ label, values: [...new Set(values)] }));
  const same = told.flatMap(({ label, values }) =>
    values.length === 1 && values[0] !== undefined ? [label + values[0]] : [],
  );
  const different = told.flatMap(({ label, values }) =>
    values.length > 1 ? [`${label || "system "}${values.map((value) => value ?? "not told").join(" or ")}`] : [],
  );
  const words = [
    ...(same.length > 0 ? [`${nodes.length === 1 ? "it reports" : "all report"} ${same.join(", ")}`] : []),
    ...(different.length > 0 ? [`they differ in ${different.join(", ")}`] : []),
  ];
  if (failed > 0) words.push(`${countOf(failed, "node")} more could not be collected`);
  return [counts.join(", "), ...words].join("; ");
}

function linesOf(causes: Causes): string[] {
  const { packages, unowned } = causes;
  const size = unowned.reduce((sum, { here }) => sum + (here?.sizeBytes ?? 0), 0);
  return [
    ...listed(`other package versions: ${packages.length}`, packages, describePackage),
    ...files(`files that no package owns: ${unowned.length}, ${sizeText(size)} here`, unowned),
    ...files(`files changed against their package: ${causes.changed.length}`, causes.changed),
    ...files(`modes, owners, links: ${causes.metadata.length}`, causes.metadata),
    ...files(`configuration: ${causes.configuration.length}`, causes.configuration),
    ...listed(
      `in effect, and users: ${causes.state.length}`,
      causes.state,
      ({ name, here, there }) => `${name}: ${here ?? "not here"} (first group: ${there ?? "not there"})`,
    ),
    ...files(`could not be read, so not known to be alike: ${causes.unread.length}`, causes.unread),
  ];
}

function files(title: string, all: readonly FileDifference[]): string[] {
  return listed(title, all, describeDifference);
}

function listed<T>(title: string, all: readonly T[], describe: (each: T) => string): string[] {
  if (all.length === 0) return [];
  const more = all.length > MAX_SHOWN ? [`  and ${all.length - MAX_SHOWN} more: --json has all`] : [];
  return [title, ...all.slice(0, MAX_SHOWN).map((each) => `  ${describe(each)}`), ...more];
}

/** What this node did not tell. */
function gapsOf({ name, unread, missing, isByRoot }: Comparison["nodes"][number]): string[] {
  const reasons = Map.groupBy(unread, ({ why }) => why);
  const gaps = [...reasons].map(([why, paths]) => {
    const words = why === "mount" ? "mounted inside and not looked into" : why;
    return `${words}: ${firstOf(
      paths.map(({ path }) => path),
      MAX_NAMES,
    )}`;
  });
  for (const tool of missing)
    gaps.push(tool === "getcap" ? "no getcap: capabilities are not compared" : `no ${tool}: packages are not compared`);
  if (!isByRoot) gaps.push("not collected by root, who sees all");
  return gaps.map((gap) => `${name}: ${gap}`);
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
