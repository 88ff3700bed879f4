/** Where each stone of the wall is. Courses are offset by half a stone, as masons do it. */
export type WallLayout = {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly stone: { readonly widthPx: number; readonly heightPx: number; readonly gapPx: number };
  readonly sections: readonly Section[];
};

/** The stones of one group, below its heading. */
export type Section = {
  readonly first: number;
  readonly count: number;
  readonly perRow: number;
  readonly headingTopPx: number;
  readonly topPx: number;
  readonly bottomPx: number;
};

export type Rectangle = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

export const STONE_WIDTHS_PX: readonly number[] = [7, 9, 13, 19, 28, 42, 64, 96, 150];
export const HEADING_PX = 34;
const BETWEEN_SECTIONS_PX = 10;
const MARGIN_PX = 10;

/**
 * @param groupSizes how many stones each group has
 * @param leastWidthPx of a stone: they are as much wider as it takes to fill the courses
 */
export function layWall(groupSizes: readonly number[], widthPx: number, leastWidthPx: number): WallLayout {
  const gapPx = leastWidthPx < 16 ? 1 : leastWidthPx < 40 ? 2 : 4;
  const heightPx = Math.max(4, Math.round(leastWidthPx * 0.52));
  const insidePx = widthPx - 2 * MARGIN_PX;
  const perRow = Math.max(1, Math.floor(insidePx / (leastWidthPx + gapPx) - 0.5));
  const stoneWidthPx = Math.max(leastWidthPx, insidePx / (perRow + 0.5) - gapPx);
  let top = 0;
  let first = 0;
  const sections = groupSizes.map((count) => {
    const headingTopPx = top;
    const topPx = top + HEADING_PX;
    const bottomPx = topPx + Math.ceil(count / perRow) * (heightPx + gapPx);
    const section = { first, count, perRow, headingTopPx, topPx, bottomPx };
    top = bottomPx + BETWEEN_SECTIONS_PX;
    first += count;
    return section;
  });
  return { widthPx, heightPx: top, stone: { widthPx: stoneWidthPx, heightPx, gapPx }, sections };
}

/** The largest stones with which the whole wall is seen at once, or the smallest. */
export function fittingWidth(groupSizes: readonly number[], widthPx: number, heightPx: number): number {
  const fits = STONE_WIDTHS_PX.findLast((stone) => layWall(groupSizes, widthPx, stone).heightPx <= heightPx);
  return fits ?? STONE_WIDTHS_PX[0] ?? 1;
}

export function placeOf(layout: WallLayout, index: number): Rectangle | undefined {
  const section = layout.sections.find(({ first, count }) => index >= first && index < first + count);
  return section && placeIn(layout, section, index - section.first);
}

export function placeIn({ stone }: WallLayout, { perRow, topPx }: Section, at: number): Rectangle {
  const row = Math.floor(at / perRow);
  const step = stone.widthPx + stone.gapPx;
  const offset = row % 2 === 0 ? 0 : step / 2;
  const y = topPx + row * (stone.heightPx + stone.gapPx);
  return { x: MARGIN_PX + offset + (at % perRow) * step, y, width: stone.widthPx, height: stone.heightPx };
}

/** Which stone is at a place; undefined between stones. */
export function stoneAt(layout: WallLayout, x: number, y: number): number | undefined {
  const section = layout.sections.find(({ topPx, bottomPx }) => y >= topPx && y < bottomPx);
  if (section === undefined) return undefined;
  const { stone } = layout;
  const row = Math.floor((y - section.topPx) / (stone.heightPx + stone.gapPx));
  const step = stone.widthPx + stone.gapPx;
  const column = Math.floor((x - MARGIN_PX - (row % 2 === 0 ? 0 : step / 2)) / step);
  const at = row * section.perRow + column;
  return column < 0 || column >= section.perRow || at >= section.count ? undefined : section.first + at;
}

export type Move = "left" | "right" | "up" | "down" | "start" | "end" | "page-up" | "page-down";

/** Where a key leads from a stone. Up and down stay in the column, across groups too. */
export function move(layout: WallLayout, index: number, key: Move, pagePx: number): number {
  const last = (layout.sections.at(-1)?.first ?? 0) + (layout.sections.at(-1)?.count ?? 0) - 1;
  if (last < 0) return -1;
  if (key === "start") return 0;
  if (key === "end") return last;
  if (key === "left") return Math.max(0, index - 1);
  if (key === "right") return Math.min(last, index + 1);
  const rows =
    key === "up" || key === "down"
      ? 1
      : Math.max(1, Math.floor(pagePx / (layout.stone.heightPx + layout.stone.gapPx)) - 1);
  let at = index;
  for (let row = 0; row < rows; row += 1) at = oneRow(layout, at, key === "up" || key === "page-up" ? -1 : 1);
  return at;
}

function oneRow({ sections }: WallLayout, index: number, direction: 1 | -1): number {
  const number = sections.findIndex(({ first, count }) => index >= first && index < first + count);
  const section = sections[number];
  if (section === undefined) return index;
  const { first, count, perRow } = section;
  const at = index - first;
  const column = at % perRow;
  const next = at + direction * perRow;
  if (next >= 0 && next < count) return first + next;
  // The last course may be shorter.
  if (direction === 1 && Math.floor(at / perRow) < Math.floor((count - 1) / perRow)) return first + count - 1;
  const other = sections[number + direction];
  if (other === undefined) return index;
  const row = direction === 1 ? 0 : Math.floor((other.count - 1) / other.perRow);
  return other.first + Math.min(other.count - 1, row * other.perRow + Math.min(column, other.perRow - 1));
}
