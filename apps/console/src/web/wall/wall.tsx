import {
  memo,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type MemoExoticComponent,
  type ReactElement,
} from "react";
import { sentenceOf } from "../words.ts";
import type { IdentityColours } from "./colours.ts";
import { drawWall, readTheme, type Stone } from "./draw-wall.ts";
import { fittingWidth, layWall, move, placeOf, stoneAt, STONE_WIDTHS_PX, type Move } from "./layout.ts";

export type WallGroup = { readonly title: string; readonly note: string; readonly stones: readonly Stone[] };

type WallProps = {
  readonly groups: readonly WallGroup[];
  readonly colours: IdentityColours;
  /** The name of the stone that the keyboard is at. */
  readonly active: string | undefined;
  readonly marked: string | undefined;
  /** Steps from the size at which everything is seen. */
  readonly zoom: number;
  readonly onActive: (name: string) => void;
  readonly onOpen: (name: string) => void;
  readonly onZoom: (step: number) => void;
};

const MOVES: Readonly<Record<string, Move>> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "start",
  End: "end",
  PageUp: "page-up",
  PageDown: "page-down",
};

/**
 * A wall with a stone for each node, drawn on one canvas. For the keyboard and for screen readers it is a list of which one option
 * at a time exists: the one that is active.
 */
function WallOf(props: WallProps): ReactElement {
  const { groups, colours, active, marked, zoom, onActive, onOpen, onZoom } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ widthPx: 0, heightPx: 0 });
  const stones = useMemo(() => groups.flatMap((group) => group.stones), [groups]);
  const counts = groups.map((group) => group.stones.length);
  const fitting = STONE_WIDTHS_PX.indexOf(fittingWidth(counts, size.widthPx, size.heightPx));
  const step = Math.min(STONE_WIDTHS_PX.length - 1, Math.max(0, fitting + zoom));
  const layout = useMemo(
    () =>
      layWall(
        groups.map((group) => group.stones.length),
        size.widthPx,
        STONE_WIDTHS_PX[step] ?? 1,
      ),
    [groups, size, step],
  );
  const activeAt = active === undefined ? -1 : stones.findIndex(({ node }) => node.name === active);
  const current = stones[activeAt];

  const paint = useCallback(() => {
    const [element, area] = [canvas.current, scroller.current];
    const context = element?.getContext("2d");
    if (element === null || area === null || context === null || context === undefined || layout.widthPx === 0) return;
    const scale = devicePixelRatio;
    const heightPx = area.clientHeight;
    if (element.width !== Math.round(layout.widthPx * scale) || element.height !== Math.round(heightPx * scale)) {
      element.width = Math.round(layout.widthPx * scale);
      element.height = Math.round(heightPx * scale);
      element.style.width = `${layout.widthPx}px`;
      element.style.height = `${heightPx}px`;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const theme = readTheme(area);
    drawWall(context, { layout, stones, colours, topPx: area.scrollTop, heightPx, active: activeAt, marked, theme });
  }, [layout, stones, colours, activeAt, marked]);

  useLayoutEffect(paint, [paint]);
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", paint);
    return () => dark.removeEventListener("change", paint);
  }, [paint]);
  useEffect(() => {
    const area = scroller.current;
    if (area === null) return undefined;
    const measure = (): void => setSize({ widthPx: area.clientWidth, heightPx: area.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(area);
    return () => observer.disconnect();
  }, []);
  // The stone that the keyboard has moved to is seen.
  useEffect(() => {
    const area = scroller.current;
    const place = activeAt < 0 ? undefined : placeOf(layout, activeAt);
    if (area === null || place === undefined) return;
    const margin = 40;
    if (place.y - margin < area.scrollTop) area.scrollTop = Math.max(0, place.y - margin);
    else if (place.y + place.height + margin > area.scrollTop + area.clientHeight)
      area.scrollTop = place.y + place.height + margin - area.clientHeight;
    // A new answer must not take away what is being looked at.
  }, [active, zoom]);

  const at = (clientX: number, clientY: number): Stone | undefined => {
    const area = scroller.current;
    if (area === null) return undefined;
    const box = area.getBoundingClientRect();
    const index = stoneAt(layout, clientX - box.left, clientY - box.top + area.scrollTop);
    return index === undefined ? undefined : stones[index];
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = MOVES[event.key];
    if (key !== undefined) {
      const to = move(layout, Math.max(0, activeAt), key, scroller.current?.clientHeight ?? 0);
      const target = stones[activeAt < 0 ? 0 : to];
      if (target !== undefined) onActive(target.node.name);
    } else if ((event.key === "Enter" || event.key === " ") && current !== undefined) onOpen(current.node.name);
    else if (event.key === "+" || event.key === "=") onZoom(step + 1 < STONE_WIDTHS_PX.length ? 1 : 0);
    else if (event.key === "-") onZoom(step > 0 ? -1 : 0);
    else if (event.key === "0") onZoom(-zoom);
    else return;
    event.preventDefault();
  };

  return (
    <div className="wall" ref={scroller} onScroll={paint}>
      <div
        className="wall-list"
        role="listbox"
        tabIndex={0}
        aria-label={`Nodes, ${stones.length} of them`}
        aria-activedescendant={current === undefined ? undefined : "active-stone"}
        onKeyDown={onKeyDown}
        onFocus={() => {
          const [first] = stones;
          if (current === undefined && first !== undefined) onActive(first.node.name);
        }}
        onClick={(event) => {
          const stone = at(event.clientX, event.clientY);
          if (stone !== undefined) onActive(stone.node.name);
        }}
        onDoubleClick={(event) => {
          const stone = at(event.clientX, event.clientY);
          if (stone !== undefined) onOpen(stone.node.name);
        }}
        style={{ height: Math.max(layout.heightPx, 1) }}
      >
        <canvas ref={canvas} aria-hidden="true" />
        {current !== undefined && (
          <span
            key={current.node.name}
            id="active-stone"
            role="option"
            className="only-heard"
            aria-selected="true"
            aria-setsize={stones.length}
            aria-posinset={activeAt + 1}
          >
            {sentenceOf(current.node, current.level)}
          </span>
        )}
      </div>
      {groups.map(({ title, note }, index) => (
        <h2 key={title} className="wall-heading" style={{ top: layout.sections[index]?.headingTopPx ?? 0 }}>
          {title} <span className="quiet">{note}</span>
        </h2>
      ))}
    </div>
  );
}

/** Time passes every five seconds; the wall changes when a level does. */
export const Wall: MemoExoticComponent<typeof WallOf> = memo(WallOf);
