import type { Comparison } from "@ashlar/audit";
import { escapeHtml, firstOf } from "@ashlar/base";
import { countOf } from "../words.ts";
import { placeByDistance } from "./place-by-distance.ts";

const WIDTH = 990;
const HEIGHT = 400;
const MARGIN = 70;
const LARGEST = 46;
const SMALLEST = 9;
const LEAST_FOR_LABEL = 12;
const MAX_NAMES = 8;

/** Groups as circles: near each other when they differ in little. */
export function renderDistances({ groups, distances }: Comparison): string {
  if (distances.length < 3) return "";
  // One node of another distribution would leave all others in one point.
  const places = placeByDistance(distances.map((row) => row.map((count) => Math.log1p(count))));
  const shown = groups.slice(0, distances.length);
  const most = Math.max(...shown.map(({ nodes }) => nodes.length));
  const [xs, ys] = [
    fitted(
      places.map(([x]) => x),
      WIDTH,
    ),
    fitted(
      places.map(([, y]) => y),
      HEIGHT,
    ),
  ];
  const circles = shown.map(({ nodes }, index) => {
    const radius = Math.max(SMALLEST, LARGEST * Math.sqrt(nodes.length / most));
    const apart =
      index === 0
        ? "the others are compared with it"
        : `${countOf(distances[0]?.[index] ?? 0, "difference")} from group 1`;
    const title = `group ${index + 1}, ${countOf(nodes.length, "node")}: ${firstOf(nodes, MAX_NAMES)}; ${apart}`;
    const [x, y] = [Math.round(xs[index] ?? 0), Math.round(ys[index] ?? 0)];
    const number =
      radius < LEAST_FOR_LABEL ? "" : `<text x="${x}" y="${y + 4}" text-anchor="middle">${index + 1}</text>`;
    return `<g><title>${escapeHtml(title)}</title><circle class="${index === 0 ? "first" : "other"}" cx="${x}" cy="${y}" r="${Math.round(radius)}"/>${number}</g>`;
  });
  const more =
    groups.length > shown.length ? `<p class="muted">The first ${shown.length} of ${groups.length} groups.</p>` : "";
  const label = `Distances between ${countOf(shown.length, "group")}`;
  return `<svg class="map" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">${circles.join("")}</svg>${more}`;
}

function fitted(values: readonly number[], size: number): number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const range = most - least;
  return values.map((value) => (range < 1e-9 ? size / 2 : MARGIN + ((value - least) / range) * (size - 2 * MARGIN)));
}
