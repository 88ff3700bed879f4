import type { ShownNode } from "./filter-nodes.ts";

/** The answer to the question that people come with: are they all the same, and what was declared? */
export function headlineOf(nodes: readonly ShownNode[]): {
  readonly headline: string;
  readonly state: "good" | "bad" | "open";
} {
  const count = (level: ShownNode["level"]): number => nodes.filter((node) => node.level === level).length;
  const [mismatch, unknown, reported] = [count("mismatch"), count("unknown"), count("reported")];
  const all = nodes.length;
  if (all === 0) return { headline: "No nodes yet", state: "open" };
  if (mismatch > 0) {
    const what = `${plural(mismatch, "node")} of ${all.toLocaleString("en")} ${mismatch === 1 ? "is" : "are"} not what was declared`;
    return { headline: unknown > 0 ? `${what}; ${unknown.toLocaleString("en")} unknown` : what, state: "bad" };
  }
  if (unknown > 0)
    return {
      headline: `${plural(unknown, "node")} of ${all.toLocaleString("en")} cannot be judged now`,
      state: "open",
    };
  const next = nodes.filter(({ node }) => node.nextBoot?.level === "mismatch").length;
  if (next > 0)
    return {
      headline: `${plural(next, "node")} of ${all.toLocaleString("en")} would boot something else next`,
      state: "bad",
    };
  const identities = new Set(nodes.map(({ node }) => node.identity)).size;
  const which = plural(identities, "identity", "identities");
  if (reported > 0)
    return {
      headline: `${plural(all, "node")}, ${which}; ${reported.toLocaleString("en")} only reported`,
      state: "open",
    };
  return {
    headline: `${all === 1 ? "1 node is" : `All ${all.toLocaleString("en")} nodes are`} proven: ${which}`,
    state: "good",
  };
}

/** "1 node", "1,000 nodes". */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
