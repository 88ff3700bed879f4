import { escapeHtml } from "@ashlar/base";
import type { Explanation } from "@ashlar/inventory";
import { countOf } from "../audit/words.ts";
import { renderBar } from "../page/bar.ts";
import { renderFrame, section } from "../page/frame.ts";
import { renderNames } from "../page/names.ts";
import { differenceLines, MAX_ON_PAGE } from "./difference-lines.ts";
import { describeRunning, firmwareLines, headlineOf, levelsText, named, type Changes } from "./print-explanation.ts";

const MAX_GROUPS = 200;
const MAX_COMPLAINTS = 500;
const DETAILS = "That they differ was measured. Details are from manifests and configs that are known here.";

/** @param badge whose word it is */
export function renderExplanation(explanation: Explanation, badge: string): string {
  const { groups, unknown, complaints, firmware } = explanation;
  const shown = groups.slice(0, MAX_GROUPS).map(renderGroup);
  const more = groups.length > MAX_GROUPS ? muted(`and ${groups.length - MAX_GROUPS} more groups: --json has all`) : "";
  const [differing, proven] = [groups.length > 1, countProven(groups)];
  const lead = `${differing ? "They differ" : "All that is known runs the same"}; ${countOf(proven, "node")} proven.`;
  return renderFrame({
    command: "Ashlar explain",
    badge,
    headline: headlineOf(explanation),
    lead,
    head: renderBar(
      groups.map(({ nodes }) => nodes.length),
      { count: unknown.length, what: "not known" },
    ),
    main: [
      section(differing ? "Groups of nodes that run the same" : "What they run", DETAILS, `${shown.join("\n")}${more}`),
      section("Not known", "Of these nobody knows what they run.", unknown.length === 0 ? "" : renderNames(unknown)),
      section(
        "Against what was declared",
        "What is wrong or not known of nodes, in words.",
        renderComplaints(complaints),
      ),
      section("Firmware", "PCRs 0, 2, 3 and 7.", renderLines(firmwareLines(firmware).slice(1))),
    ].join("\n"),
  });
}

/** What changed from one certificate to another. */
export function renderChanges(changes: Changes, badge: string): string {
  const count = changes.changes.reduce((sum, { nodes }) => sum + nodes.length, 0);
  const articles = changes.changes.slice(0, MAX_GROUPS).map(({ to, nodes, differences }) => {
    const head = `<h3>${escapeHtml(describeRunning(to))} <small>${countOf(nodes.length, "node")}</small></h3>`;
    return `<article>${head}${renderNames(nodes)}${renderLines(differenceLines(differences, MAX_ON_PAGE))}</article>`;
  });
  const levels = changes.levels.map(({ name, from, to }) => `${name}: ${from} -> ${to}`);
  const [joined, left] = [changes.joined, changes.left];
  return renderFrame({
    command: "Ashlar explain",
    badge,
    headline: `${countOf(count, "node")} changed, ${joined.length} joined, ${left.length} left`,
    lead: `${countOf(levels.length, "node")} at another level.`,
    head: "",
    main: [
      section("Changed", DETAILS, articles.join("\n")),
      section("Joined", "In the later certificate alone.", joined.length === 0 ? "" : renderNames(joined)),
      section("Left", "In the earlier certificate alone.", left.length === 0 ? "" : renderNames(left)),
      section("Another level", "From the earlier certificate to the later one.", renderLines(levels)),
    ].join("\n"),
  });
}

function renderGroup({ running, nodes, levels, differences }: Explanation["groups"][number], index: number): string {
  const title = `<h3>Group ${index + 1} <small>${countOf(nodes.length, "node")}, ${levelsText(levels)}</small></h3>`;
  const what = `<p>${escapeHtml(describeRunning(running))}</p>`;
  const first = differences === null ? muted("The others are compared with it.") : "";
  const lines = differences === null ? "" : renderLines(differenceLines(differences, MAX_ON_PAGE));
  return `<article>${title}${what}${renderNames(nodes)}${first}${lines}</article>`;
}

function countProven(groups: Explanation["groups"]): number {
  return groups.reduce((sum, { levels }) => sum + (levels.proven ?? 0), 0);
}

function renderComplaints(complaints: Explanation["complaints"]): string {
  const lines = complaints.slice(0, MAX_COMPLAINTS).map(({ text, nodes }) => `${named(nodes)}: ${text}`);
  const more = complaints.length - lines.length;
  return renderLines(more > 0 ? [...lines, `and ${more} more: --json has all`] : lines);
}

/** Lines with their indentation. */
function renderLines(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `<pre class="lines">${lines.map(escapeHtml).join("\n")}</pre>`;
}

function muted(text: string): string {
  return `<p class="muted">${escapeHtml(text)}</p>`;
}
