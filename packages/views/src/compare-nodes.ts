import type { NodeView } from "./documents.ts";

/** One thing that two nodes have, as text; a dash where nobody knows it. */
export type ComparedRow = {
  readonly what: string;
  readonly left: string;
  readonly right: string;
  /** `unknown` when either is not known: two unknown values are not the same. */
  readonly verdict: "same" | "differs" | "unknown";
  /** Whether it is a node's own: a difference is as it should be. */
  readonly isOwn: boolean;
};

const UNKNOWN = "-";

/** Two nodes side by side: what makes their identity, then what is each one's own. */
export function compareNodes(left: NodeView, right: NodeView): readonly ComparedRow[] {
  const rows: ComparedRow[] = [];
  const add = (what: string, of: (node: NodeView) => string | null | undefined, isOwn = false): void => {
    const [a, b] = [of(left) ?? UNKNOWN, of(right) ?? UNKNOWN];
    const verdict = a === UNKNOWN || b === UNKNOWN ? "unknown" : a === b ? "same" : "differs";
    rows.push({ what, left: a, right: b, verdict, isOwn });
  };
  add("Identity", ({ verdict }) => verdict.identity);
  add("Release", ({ verdict }) => verdict.release);
  for (const [index, what] of ["Boot loader", "UKI", "Kernel"].entries())
    add(`${what}, as measured`, ({ measured }) => programOf(measured?.programs, index));
  add("Root hash of /usr", ({ measured }) => measured?.usrRootHash);
  add("Class configuration", ({ verdict }) => verdict.config);
  const names = [left, right].flatMap(({ verdict }) => verdict.extensions.map(({ name }) => name));
  for (const name of [...new Set(names)].toSorted()) add(`Extension ${name}`, (node) => extensionOf(node, name));
  add("Next boot", ({ verdict }) => verdict.nextBoot?.release);
  for (const pcr of ["0", "2", "3", "7"]) add(`Firmware, PCR ${pcr}`, ({ measured }) => measured?.pcrs[pcr], true);
  add("Own configuration", ({ verdict }) => verdict.nodeConfig, true);
  add("Endorsement key", ({ measured }) => measured?.ekSha256, true);
  return rows;
}

/** Of three programs the first is the loader; of another number nobody knows which is which. */
function programOf(programs: readonly { readonly digest: string }[] | undefined, index: number): string | undefined {
  return programs?.length === 3 ? programs[index]?.digest : undefined;
}

function extensionOf({ verdict, measured }: NodeView, name: string): string | undefined {
  const found = verdict.extensions.find((extension) => extension.name === name);
  if (found !== undefined) return `${found.version ?? "unknown version"} ${found.rootHash}`;
  // Where evidence was judged, what is not in it is not merged.
  return measured === null ? undefined : "not merged";
}
