import type { Comparison, Group } from "@ashlar/audit";
import { renderNames } from "../../page/names.ts";
import { countOf } from "../words.ts";
import { renderCauses } from "./causes.ts";

const MAX_GROUPS = 200;

export function renderGroups({ groups }: Comparison): string {
  const more =
    groups.length > MAX_GROUPS
      ? `<p class="muted">and ${groups.length - MAX_GROUPS} more groups: --json has all</p>`
      : "";
  return `<section><h2>${groups.length === 1 ? "The nodes" : "Groups of nodes that are alike"}</h2>
${groups.slice(0, MAX_GROUPS).map(renderGroup).join("\n")}${more}</section>`;
}

function renderGroup({ nodes, causes }: Group, index: number): string {
  const first = index === 0 ? `<p class="muted">The others are compared with it.</p>` : "";
  return `<article><h3>Group ${index + 1} <small>${countOf(nodes.length, "node")}</small></h3>
${renderNames(nodes)}${first}${renderCauses(causes)}</article>`;
}
