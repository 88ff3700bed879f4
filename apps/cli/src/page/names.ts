import { escapeHtml } from "@ashlar/base";

const MAX_NAMES = 40;

/** The names of a group's nodes. */
export function renderNames(nodes: readonly string[]): string {
  const names = nodes.slice(0, MAX_NAMES).map((name) => `<span>${escapeHtml(name)}</span>`);
  const more = nodes.length > MAX_NAMES ? `<span class="muted">and ${nodes.length - MAX_NAMES} more</span>` : "";
  return `<p class="names">${names.join("")}${more}</p>`;
}
