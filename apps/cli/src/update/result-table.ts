import type { NodeResult, UpdateResult } from "@ashlar/rollout";
import { formatBytes } from "./progress-printer.ts";

const TITLES = ["NODE", "OUTCOME", "FROM", "TO", "FETCHED", "TIME"];

/** One line for each node, then why it stopped. */
export function resultTable({ nodes }: UpdateResult): string[] {
  const rows = nodes.map((node) => [
    node.name,
    node.outcome,
    node.from ?? "-",
    node.to,
    node.bytes === null ? "-" : formatBytes(node.bytes.fetched),
    node.outcome === "untouched" ? "-" : `${Math.round(node.seconds)} s`,
  ]);
  const widths = TITLES.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const lines = [TITLES, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...nodes.flatMap(explain)];
}

function explain({ name, reason, failure, proven }: NodeResult): string[] {
  if (reason === null) return [];
  const now = proven === null ? "what it runs now is not proven" : `it runs ${proven}: proven`;
  const record =
    failure === null
      ? []
      : [
          `  its record: ${failure.version} at ${failure.at}, ${failure.check}`,
          ...failure.message.split("\n").map((line) => `  | ${line}`),
        ];
  const hint = reason.hint === undefined ? [] : [`hint: ${reason.hint}`];
  return [`${name}: ${reason.message}`, ...record, `  ${now}`, ...hint];
}
