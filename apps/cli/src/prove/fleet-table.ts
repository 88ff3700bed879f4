import { styleText } from "node:util";
import type { Level, NamedVerdict } from "@ashlar/identity";

const COLOURS: Readonly<Record<Level, "green" | "yellow" | "red" | "magenta">> = {
  proven: "green",
  reported: "yellow",
  mismatch: "red",
  unknown: "magenta",
};

const TITLES = ["NODE", "LEVEL", "RELEASE", "NEXT BOOT", "FALLBACK", "IDENTITY", "AGE", "FIRST DIFFERENCE"];
const IDENTITY_DIGITS = 12;
const LEVEL_COLUMN = 1;

/** One line for each node, and one for each of its extensions. Digests are shortened here; `--json` has all of them. */
export function fleetTable(nodes: readonly NamedVerdict[], agesMs: ReadonlyMap<string, number>): string[] {
  const rows = nodes.map(({ name, level, release, identity, differences, nextBoot }) => {
    const age = agesMs.get(name);
    return [
      name,
      level,
      release ?? "-",
      nextBoot === null ? "-" : [nextBoot.release ?? "", nextBoot.level].join(" ").trim(),
      nextBoot?.fallback ? `${nextBoot.fallback.release} ${nextBoot.fallback.state}` : "-",
      identity?.slice(0, IDENTITY_DIGITS) ?? "-",
      age === undefined ? "-" : formatAge(age),
      shortenDigests(firstDifference(differences, nextBoot)),
    ];
  });
  const widths = TITLES.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const draw = (row: readonly string[]): string[] => row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  const line = (cells: readonly string[]): string => cells.join("  ").trimEnd();
  const lines = nodes.flatMap((node, index) => {
    const cells = draw(rows[index] ?? []);
    // Only after padding: the escape sequences have no width.
    cells[LEVEL_COLUMN] = styleText(COLOURS[node.level], cells[LEVEL_COLUMN] ?? "");
    return [line(cells), ...describeExtensions(node)];
  });
  return [line(draw(TITLES)), ...lines];
}

/** "  sysext kubernetes v1.33.2 (0a1b2c3d4e5f): v1.33.5 is published" */
function describeExtensions({ extensions, notes }: NamedVerdict): string[] {
  const merged = extensions.map(({ kind, name, version, rootHash, note, until }) => {
    const about = [note, until === null ? null : `until ${until}`].filter((part) => part !== null).join(" ");
    const which = `${kind} ${name} ${version ?? "unknown"} (${rootHash.slice(0, IDENTITY_DIGITS)})`;
    return `  ${which}${about === "" ? "" : `: ${shortenDigests(about)}`}`;
  });
  return [...merged, ...notes.map((note) => `  ${shortenDigests(note)}`)];
}

/** What is not clear about the next boot of a node that is right otherwise is worth the place. */
function firstDifference(differences: NamedVerdict["differences"], nextBoot: NamedVerdict["nextBoot"]): string {
  const [first] = differences;
  if (first !== undefined) return `${first.what}: expected ${first.expected}, found ${first.found}`;
  const next = nextBoot?.differences[0];
  return next === undefined ? "-" : `next boot, ${next.what}: expected ${next.expected}, found ${next.found}`;
}

function shortenDigests(text: string): string {
  return text.replaceAll(/[0-9a-f]{64,}/gu, (digest) => `${digest.slice(0, IDENTITY_DIGITS)}...`);
}

/** "4 s", "3 min", "2 h", "5 d". */
export function formatAge(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 2 * 86_400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
