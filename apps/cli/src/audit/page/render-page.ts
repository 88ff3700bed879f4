import { CAUSES, type Comparison } from "@ashlar/audit";
import { escapeHtml } from "@ashlar/base";
import { CAUSE_TITLES } from "../cause-titles.ts";
import { headlineOf } from "../headline.ts";
import type { FailedNode } from "../read-nodes.ts";
import { gapsOf } from "../gaps.ts";
import type { Since } from "../since.ts";
import { countOf, sizeText } from "../words.ts";
import { renderBar } from "../../page/bar.ts";
import { renderFrame, section } from "../../page/frame.ts";
import { findArtefacts } from "./artefacts.ts";
import { renderDistances } from "./distances.ts";
import { renderGroups } from "./groups.ts";
import { renderHeatMap } from "./heat-map.ts";
import { renderSince } from "./since.ts";

const MAX_ARTEFACTS = 40;

/** The report as one page: no script, nothing from elsewhere, and every text of a node as text. */
export function renderPage(comparison: Comparison, failed: readonly FailedNode[], since?: Since): string {
  const { counts, reports } = headlineOf(comparison, failed.length);
  return renderFrame({
    command: "Ashlar audit",
    badge: "reported, not proven",
    headline: counts,
    lead: sentenceOf(reports),
    head: renderBar(
      comparison.groups.map(({ nodes }) => nodes.length),
      { count: failed.length, what: "not collected" },
    ),
    main: `${renderTiles(comparison)}
${section("Where they differ", "Each column is a node, each row a cause; the stronger its colour, the more differs from group 1.", renderHeatMap(comparison))}
${section("How far apart they are", "Each circle is a group, as large as it has nodes. Groups that are alike are close.", renderDistances(comparison))}
${renderArtefacts(comparison)}
${renderGroups(comparison)}
${since === undefined ? "" : renderSince(since)}
${renderGaps(comparison, failed)}
${renderRules(comparison)}
${PROOF}`,
  });
}

function sentenceOf(reports: readonly string[]): string {
  const text = reports.join("; ");
  return text === "" ? "" : `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function renderTiles({ groups }: Comparison): string {
  const tiles = CAUSES.flatMap((cause) => {
    const having = groups.filter(({ causes }) => causes[cause].length > 0);
    if (having.length === 0) return [];
    const nodes = having.reduce((sum, group) => sum + group.nodes.length, 0);
    const things = new Set(
      having.flatMap(({ causes }) => causes[cause].map((each) => ("path" in each ? each.path : each.name))),
    );
    return [
      `<li class="tile"><b>${things.size}</b><span>${escapeHtml(CAUSE_TITLES[cause])}</span><small>on ${countOf(nodes, "node")}</small></li>`,
    ];
  });
  if (tiles.length === 0) return `<p class="lead alike">All nodes are alike in everything that was compared.</p>`;
  return `<ul class="tiles">${tiles.join("")}</ul>`;
}

function renderArtefacts({ groups }: Comparison): string {
  const { files, sizeBytes, nodes } = findArtefacts(groups);
  if (files.length === 0) return "";
  const rows = files
    .slice(0, MAX_ARTEFACTS)
    .map(
      (file) =>
        `<tr><td><code>${escapeHtml(file.path)}</code><td class="number">${sizeText(file.sizeBytes)}<td class="number">${countOf(file.nodes, "node")}`,
    );
  const more = files.length > MAX_ARTEFACTS ? `<p class="muted">and ${files.length - MAX_ARTEFACTS} more</p>` : "";
  return section(
    `Left behind: ${sizeText(sizeBytes)} on ${countOf(nodes, "node")}`,
    "Files that no package has brought and that the first group does not have: tools of a search for a fault, core dumps, archives. The largest first.",
    `<table><thead><tr><th>file<th class="number">size<th class="number">on</thead><tbody>${rows.join("")}</tbody></table>${more}`,
  );
}

function renderGaps({ nodes }: Comparison, failed: readonly FailedNode[]): string {
  const gaps = nodes.flatMap(gapsOf);
  const items = [...failed.map(({ name, problem }) => `${name}: not collected: ${problem}`), ...gaps];
  if (items.length === 0) return "";
  const list = `<ul class="plain">${items.map((item) => `<li>${escapeHtml(item)}`).join("")}</ul>`;
  return section(
    "What is not known",
    "These nodes, or parts of them, could not be looked at. They may differ in more.",
    list,
  );
}

function renderRules({ noise, orders, nodes, isStateCompared }: Comparison): string {
  const seen = noise.filter(({ ignored }) => ignored > 0);
  const sum = seen.reduce((total, { ignored }) => total + ignored, 0);
  const rows = seen.map(
    ({ name, ignored, reason }) =>
      `<tr><td class="number">${ignored}<td><code>${escapeHtml(name)}</code><td>${escapeHtml(reason)}`,
  );
  const notes = [
    ...(isStateCompared ? [] : ["What is in effect was not compared: not all of them run."]),
    ...(orders > 1
      ? [`Packages came in ${orders} different orders on ${nodes.length} nodes, which makes no difference by itself.`]
      : []),
  ];
  const body = [
    ...notes.map((note) => `<p>${note}</p>`),
    ...(rows.length === 0 ? [] : [`<table><tbody>${rows.join("")}</tbody></table>`]),
  ].join("");
  const title = sum === 0 ? "What was not counted" : `Not counted: ${countOf(sum, "difference")}`;
  return section(
    title,
    "Nodes that are as they should be differ in these, too. Each rule can be switched off with --no-rule.",
    body,
  );
}

const PROOF = `<section class="proof"><h2>This proves nothing, and what would</h2>
<p>An audit asks the nodes. Everything on this page is what they said of themselves, and a node that was taken over says what its
new owner likes. That nodes are alike today also says nothing about tomorrow.</p>
<p>What proves is a measured boot: the node's TPM signs what was booted over a fresh question, and the values are compared with
those that were computed from the released image and the declared configuration. On such nodes <code>/usr</code> cannot change while
they run. <code>ashlar machine check</code> says whether a machine could do that, and <code>ashlar prove</code> asks for it.</p></section>`;
