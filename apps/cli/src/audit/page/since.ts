import { escapeHtml } from "@ashlar/base";
import { BEFORE } from "../describe-difference.ts";
import { sinceGaps, type Since } from "../since.ts";
import { countOf } from "../words.ts";
import { renderCauses } from "./causes.ts";

const MAX_NODES = 200;

/** What has changed on each node. */
export function renderSince(since: Since): string {
  const { directory, changed, unchanged } = since;
  const nodes = changed
    .slice(0, MAX_NODES)
    .map(({ name, causes }) => `<article><h3>${escapeHtml(name)}</h3>${renderCauses(causes, BEFORE)}</article>`);
  const more =
    changed.length > MAX_NODES
      ? `<p class="muted">and ${countOf(changed.length - MAX_NODES, "node")} more: --json has all</p>`
      : "";
  const gaps = sinceGaps(since).map((gap) => `<li>${escapeHtml(gap)}`);
  return `<section><h2>Changed since ${escapeHtml(directory)}: ${changed.length} of ${countOf(changed.length + unchanged.length, "node")}</h2>
${nodes.join("\n")}${more}${gaps.length === 0 ? "" : `<ul class="plain">${gaps.join("")}</ul>`}</section>`;
}
