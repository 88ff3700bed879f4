import { CAUSES, type Comparison } from "@ashlar/audit";
import { escapeHtml, firstOf } from "@ashlar/base";
import { CAUSE_TITLES } from "../cause-titles.ts";
import { countOf } from "../words.ts";

const LABELS = 230;
const WIDTH = 760;
const ROW = 30;
const HEAD = 22;
const GAP = 2;
/** Narrower ones have no room for a number. */
const LEAST_FOR_NUMBER = 26;
const MAX_NAMES = 8;

/** Nodes in columns, those of a group side by side, against causes. */
export function renderHeatMap({ groups }: Comparison): string {
  if (groups.length < 2) return "";
  const nodes = groups.reduce((sum, group) => sum + group.nodes.length, 0);
  const rows = CAUSES.filter((cause) => groups.some(({ causes }) => causes[cause].length > 0));
  const gap = groups.length > 100 ? 0 : GAP;
  const unit = (WIDTH - gap * (groups.length - 1)) / nodes;
  const parts: string[] = rows.map(
    (cause, row) =>
      `<text x="${LABELS - 12}" y="${HEAD + row * ROW + 19}" text-anchor="end">${escapeHtml(SHORT[cause])}</text>`,
  );
  let x = LABELS;
  for (const [index, { nodes: names, causes }] of groups.entries()) {
    const width = unit * names.length;
    const who = `group ${index + 1}: ${firstOf(names, MAX_NAMES)}`;
    if (width >= LEAST_FOR_NUMBER / 2)
      parts.push(`<text class="axis" x="${place(x + width / 2)}" y="14" text-anchor="middle">${index + 1}</text>`);
    for (const [row, cause] of rows.entries()) {
      const count = causes[cause].length;
      const y = HEAD + row * ROW;
      const title = `<title>${escapeHtml(`${who}; ${CAUSE_TITLES[cause]}: ${count}`)}</title>`;
      parts.push(
        `<rect class="heat-${levelOf(count)}" x="${place(x)}" y="${y}" width="${place(width)}" height="${ROW - GAP}" rx="2">${title}</rect>`,
      );
      if (count > 0 && width >= LEAST_FOR_NUMBER)
        parts.push(
          `<text class="count-${levelOf(count)}" x="${place(x + width / 2)}" y="${y + 18}" text-anchor="middle">${count}</text>`,
        );
    }
    x += width + gap;
  }
  const height = HEAD + rows.length * ROW;
  const label = `Heat map of ${countOf(nodes, "node")} in ${countOf(groups.length, "group")} against causes`;
  const scale = STEPS.map(
    (from, level) => `<span><i class="swatch heat-${level}"></i>${STEP_WORDS[level] ?? from}</span>`,
  );
  return `<svg viewBox="0 0 ${LABELS + WIDTH} ${height}" role="img" aria-label="${label}">${parts.join("")}</svg>
<p class="legend">${scale.join("")}<span class="muted">differences from group 1</span></p>`;
}

const SHORT: typeof CAUSE_TITLES = {
  packages: "package versions",
  unowned: "files of no package",
  changed: "changed files of packages",
  metadata: "modes, owners, links",
  configuration: "configuration",
  state: "in effect, and users",
  unread: "not known",
};

/** From how many on a level begins. */
const STEPS = [0, 1, 4, 16, 64, 256] as const;
const STEP_WORDS = ["none", "1 to 3", "4 to 15", "16 to 63", "64 to 255", "more"] as const;

function levelOf(count: number): number {
  return STEPS.findLastIndex((from) => count >= from);
}

/** Enough digits for a picture. */
function place(value: number): string {
  return String(Math.round(value * 100) / 100);
}
