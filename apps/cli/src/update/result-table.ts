import { alignColumns } from "@ashlar/host/terminal";
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
  const lines = alignColumns([TITLES, ...rows]).map((row) => row.join("  "));
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
