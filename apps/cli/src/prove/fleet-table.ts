import { printable } from "@ashlar/base";
import { alignColumns, joinDrawn, styled, type Printed } from "@ashlar/host/terminal";
import type { Level, NamedVerdict } from "@ashlar/identity";
import { formatAge } from "@ashlar/views";

export const LEVEL_COLOURS: Readonly<Record<Level, "green" | "yellow" | "red" | "magenta">> = {
  proven: "green",
  reported: "yellow",
  mismatch: "red",
  unknown: "magenta",
};

const TITLES = ["NODE", "LEVEL", "RELEASE", "NEXT BOOT", "FALLBACK", "IDENTITY", "AGE", "FIRST DIFFERENCE"];
export const IDENTITY_DIGITS = 12;
/** In each table of nodes. */
const LEVEL_COLUMN = 1;
const NEXT_BOOT_COLUMN = 3;

export function nextBootCell(nextBoot: NamedVerdict["nextBoot"]): string {
  return nextBoot === null ? "-" : [nextBoot.release ?? "", nextBoot.level].join(" ").trim();
}

/** A line of a table of nodes, with levels in their colours. @param aligned cells that are padded: what colours has no width */
export function drawRow(
  aligned: readonly string[],
  verdict: Pick<NamedVerdict, "level" | "nextBoot"> | undefined,
): Printed {
  const cells: Printed[] = [...aligned];
  const colour = (column: number, level: Level): void => {
    cells[column] = styled(LEVEL_COLOURS[level], String(cells[column]));
  };
  if (verdict !== undefined) colour(LEVEL_COLUMN, verdict.level);
  if (verdict?.nextBoot) colour(NEXT_BOOT_COLUMN, verdict.nextBoot.level);
  return joinDrawn(cells, "  ");
}

/** One line for each node, and one for each of its extensions. Digests are shortened here; `--json` has all of them. */
export function fleetTable(nodes: readonly NamedVerdict[], agesMs: ReadonlyMap<string, number>): Printed[] {
  const rows = nodes.map(({ name, level, release, identity, differences, nextBoot }) => {
    const age = agesMs.get(name);
    return [
      name,
      level,
      release ?? "-",
      nextBootCell(nextBoot),
      nextBoot?.fallback ? `${nextBoot.fallback.release} ${nextBoot.fallback.state}` : "-",
      identity?.slice(0, IDENTITY_DIGITS) ?? "-",
      age === undefined ? "-" : formatAge(age),
      shortenDigests(firstDifference(differences, nextBoot)),
    ];
  });
  const table = [TITLES, ...rows].map((row) => row.map(printable));
  const [titles, ...lines] = alignColumns(table).map((aligned, index): Printed => {
    return drawRow(aligned, nodes[index - 1]);
  });
  const more = nodes.map(describeExtensions);
  return [titles ?? "", ...lines.flatMap((line, index): Printed[] => [line].concat(more[index] ?? []))];
}

/** "  sysext kubernetes v1.33.2 (0a1b2c3d4e5f): v1.33.5 is published" */
function describeExtensions({ extensions, notes, nextBoot }: NamedVerdict): Printed[] {
  const merged = extensions.map(({ kind, name, version, rootHash, note, until }) => {
    const about = [note, until === null ? null : `until ${until}`].filter((part) => part !== null).join(" ");
    const which = `${kind} ${name} ${version ?? "unknown"} (${rootHash.slice(0, IDENTITY_DIGITS)})`;
    return `  ${which}${about === "" ? "" : `: ${shortenDigests(about)}`}`;
  });
  const all = [...notes, ...(nextBoot?.notes ?? []).map((note) => `next boot: ${note}`)];
  return [...merged, ...all.map((note) => `  ${shortenDigests(note)}`)];
}

/** What is wrong or not clear about the next boot of a node that is right otherwise is worth the place. */
export function firstDifference(differences: NamedVerdict["differences"], nextBoot: NamedVerdict["nextBoot"]): string {
  const [first] = differences;
  if (first !== undefined) return `${first.what}: expected ${first.expected}, found ${first.found}`;
  const next = nextBoot?.differences[0];
  return next === undefined ? "-" : `next boot, ${next.what}: expected ${next.expected}, found ${next.found}`;
}

export function shortenDigests(text: string): string {
  return text.replaceAll(/[0-9a-f]{64,}/gu, (digest) => `${digest.slice(0, IDENTITY_DIGITS)}...`);
}
