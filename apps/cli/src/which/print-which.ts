import { firstOf, printable } from "@ashlar/base";
import type { Running } from "@ashlar/fleet";
import { alignColumns, joinDrawn, printLine, printLines, styled, type Printed } from "@ashlar/host/terminal";
import type { Advisories, AnswerKind, JudgedAdvisory, KnownNode, NodeAnswer } from "@ashlar/inventory";
import { countOf } from "../audit/words.ts";

/** How many nodes have each answer. */
export type Counts = Readonly<Record<AnswerKind, number>>;

const WORDS: Readonly<Record<AnswerKind, string>> = {
  has: "proven to have",
  "has-not": "proven not to have",
  unknown: "unknown",
};
const COLOURS = { has: "red", "has-not": "green", unknown: "magenta" } as const satisfies Record<AnswerKind, string>;
const TITLES = ["NODE", "ANSWER", "WHAT", "VERSION", "IN"];
const ANSWER_COLUMN = 1;
const MAX_NAMES = 8;

/** One line for each node. */
export function printAnswers(question: string, answers: readonly NodeAnswer[], counts: Counts): void {
  const rows = answers.map(({ name, answer, findings, reasons }) => {
    const [first, ...more] = findings;
    const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
    if (first === undefined) return [name, WORDS[answer], "-", "-", reasons[0] ?? "-"];
    return [name, WORDS[answer], first.what, first.version ?? "-", `${first.in}${others}`];
  });
  const lines = alignColumns([TITLES, ...rows].map((row) => row.map(printable))).map((aligned, index): Printed => {
    const cells: Printed[] = [...aligned];
    const each = answers[index - 1];
    // Only after padding: what colours has no width.
    if (each !== undefined) cells[ANSWER_COLUMN] = styled(COLOURS[each.answer], String(cells[ANSWER_COLUMN]));
    return joinDrawn(cells, "  ");
  });
  printLines(lines);
  const parts = [
    `${counts.has} proven to have it`,
    `${counts["has-not"]} proven not to have it`,
    `${counts.unknown} unknown`,
  ];
  printLine(`${question}: ${countOf(answers.length, "node")}: ${parts.join(", ")}`);
}

type Group = {
  readonly running: Running;
  readonly nodes: readonly string[];
  readonly judged: readonly JudgedAdvisory[];
};

/** What affects each group of nodes that run the same. */
export function printAdvisories(read: Advisories, groups: readonly Group[], unproven: readonly KnownNode[]): void {
  for (const { running, nodes, judged } of groups) {
    const runs = [
      `release ${running.release ?? "unknown"}`,
      ...running.extensions.map(({ kind, name, version }) => `${kind} ${name} ${version ?? "unknown"}`),
    ];
    printLine(styled("bold", `${countOf(nodes.length, "node")} (${firstOf(nodes, MAX_NAMES)}): ${runs.join(", ")}`));
    const affecting = judged.filter(({ answer }) => answer.answer === "has");
    const open = judged.filter(({ answer }) => answer.answer === "unknown");
    printLines(affecting.flatMap(affectedLines).map((line) => `  ${line}`));
    const reasons = new Set(open.flatMap(({ answer }) => answer.reasons));
    printLines([...reasons].map((reason) => `  not known: ${reason}`));
    const total = [
      `proven to have ${affecting.length}`,
      `proven not to have ${judged.length - affecting.length - open.length}`,
    ];
    printLine(
      `  of ${countOf(judged.length, "advisory").replace(/advisorys$/u, "advisories")}: ${total.join(", ")}, ${open.length} unknown`,
    );
  }
  const levels = Map.groupBy(unproven, ({ level }) => level);
  for (const [level, nodes] of levels)
    printLine(
      `${countOf(nodes.length, "node")} (${firstOf(
        nodes.map(({ name }) => name),
        MAX_NAMES,
      )}): unknown: ${level}, not proven`,
    );
  if (read.others + read.withdrawn > 0)
    printLine(`left out: ${read.others} about other systems, ${read.withdrawn} withdrawn`);
}

/** "DSA-6015-1 (CVE-2025-9230): libssl3t64 3.5.1-1 in release 1.0.0, fixed in 3.5.1-1+deb13u1" */
function affectedLines({ advisory: { id, aliases }, packages }: JudgedAdvisory): string[] {
  const others = aliases.length === 0 ? "" : ` (${firstOf(aliases, 3)})`;
  return packages
    .filter(({ state }) => state === "affected")
    .map(({ what, version, in: part, fixedIn }) => {
      const fix = fixedIn === undefined ? "no fixed version" : `fixed in ${fixedIn}`;
      return `${id}${others}: ${what} ${version ?? ""} in ${part}, ${fix}`;
    });
}
