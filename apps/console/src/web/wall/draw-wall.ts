import type { Level, NodeSummary } from "@ashlar/views";
import { shadeOf, type IdentityColours } from "./colours.ts";
import { placeIn, type Rectangle, type WallLayout } from "./layout.ts";

export type Stone = { readonly node: NodeSummary; readonly level: Level };

export type Drawing = {
  readonly layout: WallLayout;
  readonly stones: readonly Stone[];
  readonly colours: IdentityColours;
  /** How far the wall is scrolled, and how much of it is seen. */
  readonly topPx: number;
  readonly heightPx: number;
  readonly active: number;
  readonly marked: string | undefined;
  readonly theme: Theme;
};

/** Colours of the style sheet, so that light and dark have one home. */
export type Theme = Readonly<Record<Level | "ink" | "accent" | "panel", string>> & { readonly isDark: boolean };

export function readTheme(element: Element): Theme {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    proven: colour("proven"),
    reported: colour("reported"),
    mismatch: colour("mismatch"),
    unknown: colour("unknown"),
    ink: colour("stone-ink"),
    accent: colour("accent"),
    panel: colour("panel"),
    isDark: matchMedia("(prefers-color-scheme: dark)").matches,
  };
}

/** Nobody sees the corners of smaller ones, and ten thousand of them take their time. */
const ROUND_FROM_PX = 18;
/** From this width on there is room for a name. */
const NAMED_FROM_PX = 64;
const DETAILS_FROM_PX = 96;

/** Draws the courses that are seen. A wall of ten thousand stones is a few hundred of them at a time, or all in one glance. */
export function drawWall(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { layout, stones, topPx, heightPx, active } = drawing;
  context.clearRect(0, 0, layout.widthPx, heightPx);
  context.save();
  context.translate(0, -topPx);
  for (const section of layout.sections) {
    if (section.bottomPx < topPx || section.topPx > topPx + heightPx) continue;
    const rowPx = layout.stone.heightPx + layout.stone.gapPx;
    const firstRow = Math.max(0, Math.floor((topPx - section.topPx) / rowPx));
    const lastRow = Math.ceil((topPx + heightPx - section.topPx) / rowPx);
    const end = Math.min(section.count, (lastRow + 1) * section.perRow);
    for (let at = firstRow * section.perRow; at < end; at += 1) {
      const stone = stones[section.first + at];
      if (stone !== undefined) drawStone(context, placeIn(layout, section, at), stone, drawing);
    }
  }
  const section = layout.sections.find(({ first, count }) => active >= first && active < first + count);
  if (section !== undefined) drawRing(context, placeIn(layout, section, active - section.first), drawing.theme);
  context.restore();
}

function drawStone(
  context: CanvasRenderingContext2D,
  place: Rectangle,
  { node, level }: Stone,
  drawing: Drawing,
): void {
  const { theme, colours, marked } = drawing;
  const { x, y, width, height } = place;
  const radius = width < ROUND_FROM_PX ? 0 : Math.min(3, width / 8);
  context.fillStyle = fillOf(colours(node.identity), node.name, level, theme);
  if (radius === 0) context.fillRect(x, y, width, height);
  else {
    context.beginPath();
    context.roundRect(x, y, width, height, radius);
    context.fill();
  }
  if (width >= 28 && level !== "unknown") bevel(context, place, theme);
  frame(context, place, level, theme, radius);
  if (node.name === marked) mark(context, place, theme);
  if (width >= NAMED_FROM_PX) label(context, place, { node, level }, theme);
}

function fillOf(colour: ReturnType<IdentityColours>, name: string, level: Level, { isDark, panel }: Theme): string {
  const shade = shadeOf(name);
  // What is not known is no stone, but the place of one.
  if (colour === "none" || level === "unknown") return panel;
  if (colour === "stone") return isDark ? `hsl(40 14% ${44 + shade}%)` : `hsl(41 36% ${76 + shade}%)`;
  return isDark ? `hsl(${colour} 30% ${46 + shade}%)` : `hsl(${colour} 44% ${74 + shade}%)`;
}

/** Light from above. */
function bevel(context: CanvasRenderingContext2D, { x, y, width, height }: Rectangle, { isDark }: Theme): void {
  context.fillStyle = isDark ? "rgb(255 255 255 / 9%)" : "rgb(255 255 255 / 45%)";
  context.fillRect(x + 2, y + 1, width - 4, 1.5);
  context.fillStyle = "rgb(0 0 0 / 10%)";
  context.fillRect(x + 2, y + height - 2.5, width - 4, 1.5);
}

/** Levels differ by form too: a thin frame, a dashed one, a thick one with a notch, a dotted one around nothing. */
function frame(context: CanvasRenderingContext2D, place: Rectangle, level: Level, theme: Theme, radius: number): void {
  const { x, y, width, height } = place;
  const scale = width < 16 ? 0.6 : width < 40 ? 0.8 : 1;
  const line = { proven: 1, reported: 2, mismatch: 3, unknown: 1.5 }[level] * scale;
  context.lineWidth = line;
  context.strokeStyle = theme[level];
  context.globalAlpha = level !== "proven" ? 1 : width < ROUND_FROM_PX ? 0.35 : 0.75;
  context.setLineDash(
    level === "reported" ? [5 * scale, 3 * scale] : level === "unknown" ? [2 * scale, 2 * scale] : [],
  );
  if (radius === 0) context.strokeRect(x + line / 2, y + line / 2, width - line, height - line);
  else {
    context.beginPath();
    context.roundRect(x + line / 2, y + line / 2, width - line, height - line, radius);
    context.stroke();
  }
  context.setLineDash([]);
  context.globalAlpha = 1;
  if (level !== "mismatch") return;
  const notch = Math.min(height * 0.7, 16);
  context.fillStyle = theme.mismatch;
  context.beginPath();
  context.moveTo(x + width - notch, y);
  context.lineTo(x + width, y);
  context.lineTo(x + width, y + notch);
  context.fill();
}

function label(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Rectangle,
  { node, level }: Stone,
  theme: Theme,
): void {
  const hasDetails = width >= DETAILS_FROM_PX;
  const isWide = width >= 140;
  context.save();
  context.beginPath();
  context.rect(x + 5, y, width - 10, height);
  context.clip();
  context.fillStyle = level === "unknown" ? theme.unknown : theme.ink;
  context.textBaseline = "middle";
  context.font = `600 ${isWide ? 14 : 11}px system-ui, sans-serif`;
  const middle = y + height / 2;
  context.fillText(fit(context, node.name, width - 16), x + 8, hasDetails ? middle - (isWide ? 11 : 7) : middle + 1);
  if (hasDetails) {
    context.font = `${isWide ? 12 : 10}px system-ui, sans-serif`;
    const text = isWide && node.release !== null ? `${level} · ${node.release}` : (node.release ?? level);
    context.fillText(fit(context, text, width - 16), x + 8, middle + (isWide ? 11 : 8));
  }
  context.restore();
}

/** The end of a name tells more than its beginning: worker-17, not wor. */
function fit(context: CanvasRenderingContext2D, text: string, widthPx: number): string {
  if (text.length < 200 && context.measureText(text).width <= widthPx) return text;
  let kept = text.slice(-40);
  while (kept.length > 1 && context.measureText(`…${kept}`).width > widthPx) kept = kept.slice(1);
  return `…${kept}`;
}

function mark(context: CanvasRenderingContext2D, { x, y, width, height }: Rectangle, { accent }: Theme): void {
  context.fillStyle = accent;
  context.beginPath();
  context.arc(
    x + Math.min(8, width / 3),
    y + height - Math.min(8, height / 2),
    Math.min(4, height / 3),
    0,
    2 * Math.PI,
  );
  context.fill();
}

function drawRing(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Rectangle,
  { accent, panel }: Theme,
): void {
  context.lineWidth = 5;
  context.strokeStyle = panel;
  context.strokeRect(x - 2, y - 2, width + 4, height + 4);
  context.lineWidth = 2.5;
  context.strokeStyle = accent;
  context.strokeRect(x - 2, y - 2, width + 4, height + 4);
}
