import { CAUSES, type Cause, type Causes } from "@ashlar/audit";
import { escapeHtml } from "@ashlar/base";
import { CAUSE_TITLES } from "../cause-titles.ts";
import { describeDifference, describePackage, describeState, FIRST_GROUP, type Other } from "../describe-difference.ts";

const MAX_LINES = 60;

/** A list to open for each cause that there is. */
export function renderCauses(causes: Causes, other: Other = FIRST_GROUP): string {
  return CAUSES.filter((cause) => causes[cause].length > 0)
    .map((cause) => renderCause(cause, linesOf(cause, causes, other)))
    .join("");
}

function renderCause(cause: Cause, lines: readonly string[]): string {
  const more = lines.length > MAX_LINES ? `<li class="muted">and ${lines.length - MAX_LINES} more: --json has all` : "";
  const items = lines.slice(0, MAX_LINES).map((line) => `<li>${escapeHtml(line)}`);
  return `<details><summary><b>${lines.length}</b> ${escapeHtml(CAUSE_TITLES[cause])}</summary><ul class="plain">${items.join("")}${more}</ul></details>`;
}

function linesOf(cause: Cause, causes: Causes, other: Other): readonly string[] {
  if (cause === "packages") return causes.packages.map((each) => describePackage(each, other));
  if (cause === "state") return causes.state.map((each) => describeState(each, other));
  return causes[cause].map((each) => describeDifference(each, other));
}
