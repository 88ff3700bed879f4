import { escapeHtml } from "@ashlar/base";
import { countOf } from "../audit/words.ts";

/** Groups of nodes in proportion, the first one in its own colour, and how many are in none. */
export function renderBar(sizes: readonly number[], rest: { readonly count: number; readonly what: string }): string {
  const what = escapeHtml(rest.what);
  const parts = sizes.map((size, index) => {
    const title = `group ${index + 1}: ${countOf(size, "node")}`;
    const label = size * 12 > sizes.length ? String(size) : "";
    return `<i class="${index === 0 ? "first" : "other"}" style="flex-grow:${size}" title="${title}">${label}</i>`;
  });
  if (rest.count > 0)
    parts.push(
      `<i class="failed" style="flex-grow:${rest.count}" title="${what}: ${countOf(rest.count, "node")}"></i>`,
    );
  const others = sizes.length - 1;
  const legend = [
    `<span><i class="first"></i>${countOf(sizes[0] ?? 0, "node")} in the first group</span>`,
    ...(others > 0 ? [`<span><i class="other"></i>${countOf(others, "other group")}</span>`] : []),
    ...(rest.count > 0 ? [`<span><i class="failed"></i>${rest.count} ${what}</span>`] : []),
  ];
  return `<div class="bar">${parts.join("")}</div><p class="legend">${legend.join("")}</p>`;
}
