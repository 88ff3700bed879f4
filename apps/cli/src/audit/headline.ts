import type { Comparison } from "@ashlar/audit";
import { countOf } from "./words.ts";

export type Headline = {
  /** "100 nodes, 37 filesystems" */
  readonly counts: string;
  /** What the nodes call themselves: "all report Debian 13.2, kernel 6.12.0, kubelet v1.33.4" */
  readonly reports: readonly string[];
};

export function headlineOf({ nodes, groups, filesystems }: Comparison, failed: number): Headline {
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
  const reports = [
    ...(same.length > 0 ? [`${nodes.length === 1 ? "it reports" : "all report"} ${same.join(", ")}`] : []),
    ...(different.length > 0 ? [`they differ in ${different.join(", ")}`] : []),
  ];
  if (failed > 0) reports.push(`${countOf(failed, "node")} more could not be collected`);
  return { counts: counts.join(", "), reports };
}
