import type { Comparison } from "@ashlar/audit";
import { firstOf } from "@ashlar/base";

const MAX_NAMES = 12;

/** What this node did not tell. */
export function gapsOf({ name, unread, missing, isByRoot }: Comparison["nodes"][number]): string[] {
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
