import { CAUSES, type Cause, type Causes, type Comparison, type Group } from "@ashlar/audit";
import { escapeHtml } from "@ashlar/base";
import { CAUSE_TITLES } from "../cause-titles.ts";
import { describeDifference, describePackage, describeState } from "../describe-difference.ts";
import { countOf } from "../words.ts";

const MAX_GROUPS = 200;
const MAX_NAMES = 40;
const MAX_LINES = 60;

export function renderGroups({ groups }: Comparison): string {
  const more =
    groups.length > MAX_GROUPS
      ? `<p class="muted">and ${groups.length - MAX_GROUPS} more groups: --json has all</p>`
      : "";
  return `<section><h2>${groups.length === 1 ? "The nodes" : "Groups of nodes that are alike"}</h2>
${groups.slice(0, MAX_GROUPS).map(renderGroup).join("\n")}${more}</section>`;
}

function renderGroup({ nodes, causes }: Group, index: number): string {
  const names = nodes.slice(0, MAX_NAMES).map((name) => `<span>${escapeHtml(name)}</span>`);
  const more = nodes.length > MAX_NAMES ? `<span class="muted">and ${nodes.length - MAX_NAMES} more</span>` : "";
  const lists = CAUSES.filter((cause) => causes[cause].length > 0).map((cause) => renderCause(cause, causes));
  const first = index === 0 ? `<p class="muted">The others are compared with it.</p>` : "";
  return `<article><h3>Group ${index + 1} <small>${countOf(nodes.length, "node")}</small></h3>
<p class="names">${names.join("")}${more}</p>${first}${lists.join("")}</article>`;
}

function renderCause(cause: Cause, causes: Causes): string {
  const lines = linesOf(cause, causes);
  const more = lines.length > MAX_LINES ? `<li class="muted">and ${lines.length - MAX_LINES} more: --json has all` : "";
  const items = lines.slice(0, MAX_LINES).map((line) => `<li>${escapeHtml(line)}`);
  return `<details><summary><b>${lines.length}</b> ${escapeHtml(CAUSE_TITLES[cause])}</summary><ul class="plain">${items.join("")}${more}</ul></details>`;
}

function linesOf(cause: Cause, causes: Causes): readonly string[] {
  if (cause === "packages") return causes.packages.map(describePackage);
  return cause === "state" ? causes.state.map(describeState) : causes[cause].map(describeDifference);
}
