import { firstOf } from "@ashlar/base";
import type { Running } from "@ashlar/fleet";
import { printLine, printLines, styled } from "@ashlar/host/terminal";
import { LEVELS, type Level } from "@ashlar/identity";
import type { ChangedGroup, Explanation } from "@ashlar/inventory";
import { countOf } from "../audit/words.ts";
import { differenceLines } from "./difference-lines.ts";

const MAX_NAMES = 8;
const PCRS = ["0", "2", "3", "7"] as const;
/** What the TCG's PC Client Platform Firmware Profile, 3.3.4, has in them. */
const PCR_MEANINGS = {
  "0": "PCR 0, firmware",
  "2": "PCR 2, drivers that the firmware loads",
  "3": "PCR 3, settings of drivers",
  "7": "PCR 7, Secure Boot's settings",
} as const;

export function printExplanation({ groups, unknown, complaints, firmware }: Explanation): void {
  printLine(styled("bold", headlineOf({ groups, unknown })));
  for (const [index, { running, nodes, levels, differences }] of groups.entries()) {
    const role = index === 0 && groups.length > 1 ? "; the others are compared with it" : "";
    printLine("");
    printLine(
      styled("bold", `group ${index + 1}: ${named(nodes)}, ${levelsText(levels)}: ${describeRunning(running)}${role}`),
    );
    if (differences !== null) printLines(differenceLines(differences).map((line) => `  ${line}`));
  }
  if (unknown.length > 0) printLines(["", `not known: ${named(unknown)}`]);
  if (complaints.length > 0) printLines(["", ...complaints.map(({ text, nodes }) => `${named(nodes)}: ${text}`)]);
  printLines(firmwareLines(firmware));
}

/** "100 nodes, 2 identities" */
export function headlineOf({ groups, unknown }: Pick<Explanation, "groups" | "unknown">): string {
  const total = groups.reduce((sum, { nodes }) => sum + nodes.length, unknown.length);
  const identities = groups.length === 1 ? "1 identity" : `${groups.length} identities`;
  const rest = unknown.length === 0 ? "" : `, of ${unknown.length} nobody knows what they run`;
  return `${countOf(total, "node")}, ${identities}${rest}`;
}

/** "97 proven, 1 mismatch" */
export function levelsText(levels: Explanation["groups"][number]["levels"]): string {
  return LEVELS.flatMap((level) => (levels[level] === undefined ? [] : [`${levels[level]} ${level}`])).join(", ");
}

/** "2 kinds of firmware", and in which PCRs each differs from the first. */
export function firmwareLines(kinds: Explanation["firmware"]): string[] {
  const [first, ...others] = kinds;
  if (first === undefined) return ["", "firmware: not known here: --from and live nodes have it, certificates do not"];
  if (others.length === 0) return ["", `firmware: the same on ${countOf(first.nodes.length, "node")}`];
  const lines = others.map(({ values, nodes }) => {
    const differing = PCRS.filter((pcr) => values[pcr] !== first.values[pcr]).map((pcr) => PCR_MEANINGS[pcr]);
    return `  ${named(nodes)}: differs in ${differing.join("; ")}`;
  });
  const [example] = others[0]?.nodes ?? [];
  return [
    "",
    `firmware: ${kinds.length} kinds`,
    `  ${named(first.nodes)}: the first`,
    ...lines,
    `  event by event: ashlar prove --show-firmware ${example ?? ""}`,
  ];
}

export type Changes = {
  readonly changes: readonly ChangedGroup[];
  readonly joined: readonly string[];
  readonly left: readonly string[];
  readonly levels: readonly { readonly name: string; readonly from: Level; readonly to: Level }[];
};

export function printChanges({ changes, joined, left, levels }: Changes): void {
  for (const { to, nodes, differences } of changes) {
    printLine(styled("bold", `changed: ${named(nodes)}: now ${describeRunning(to)}`));
    printLines(differenceLines(differences).map((line) => `  ${line}`));
  }
  if (joined.length > 0) printLine(`joined: ${named(joined)}`);
  if (left.length > 0) printLine(`left: ${named(left)}`);
  printLines(levels.map(({ name, from, to }) => `${name}: ${from} -> ${to}`));
  const count = changes.reduce((sum, { nodes }) => sum + nodes.length, 0);
  printLine(`${count} changed, ${joined.length} joined, ${left.length} left, ${levels.length} at another level`);
}

export function named(nodes: readonly string[]): string {
  return `${countOf(nodes.length, "node")} (${firstOf(nodes, MAX_NAMES)})`;
}

export function describeRunning({ release, extensions }: Running): string {
  const merged = extensions.map(({ kind, name, version }) => `${kind} ${name} ${version ?? "unknown"}`);
  return [`release ${release ?? "unknown"}`, ...merged].join(", ");
}
