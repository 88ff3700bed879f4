import {
  shortened,
  STATE_WORDS,
  filterNodes,
  GROUPINGS,
  groupNodes,
  headlineOf,
  LEVELS_WORST_FIRST,
  levelNow,
  plural,
  type FleetView,
  type Grouping,
  type Level,
} from "@ashlar/views";
import { useCallback, useDeferredValue, useEffect, useMemo, useRef, useState, type ReactElement } from "react";
import { useServerNow, type Fetched } from "../data/use-document.ts";
import { Inspector } from "../parts/inspector.tsx";
import { Legend } from "../parts/legend.tsx";
import { hrefOf } from "../route.ts";
import { identityColours } from "../wall/colours.ts";
import type { Stone } from "../wall/draw-wall.ts";
import { Wall, type WallGroup } from "../wall/wall.tsx";

const MAX_GROUPS = 40;
/** Levels change by the day, not by the second. */
const AGES_EVERY_MS = 5000;

export function FleetPage({
  fleet,
  isShown,
}: {
  readonly fleet: Fetched<FleetView>;
  readonly isShown: boolean;
}): ReactElement {
  const { document: view, received } = fleet;
  const now = useServerNow(received, AGES_EVERY_MS);
  const [text, setText] = useState("");
  const [levels, setLevels] = useState<ReadonlySet<Level>>(new Set());
  const [grouping, setGrouping] = useState<Grouping>("identity");
  const [zoom, setZoom] = useState(0);
  const [active, setActive] = useState<string>();
  const [marked, setMarked] = useState<string>();
  const filter = useRef<HTMLInputElement>(null);
  const wanted = useDeferredValue(text);

  const stones = useStones(view, now);
  const counts = useMemo(() => countsOf(stones), [stones]);
  const colours = useMemo(() => identityColours(view?.nodes.map(({ identity }) => identity) ?? []), [view]);
  const groups = useMemo(() => {
    const found = filterNodes(stones, wanted, levels);
    return groupNodes(found, grouping, MAX_GROUPS).map(({ key, nodes }): WallGroup => {
      return { title: titleOf(grouping, key), note: plural(nodes.length, "node"), stones: nodes };
    });
  }, [stones, wanted, levels, grouping]);
  const shown = groups.reduce((sum, group) => sum + group.stones.length, 0);
  const current = stones.find(({ node }) => node.name === active);

  const open = useCallback((name: string) => {
    location.hash = hrefOf({ page: "node", name });
  }, []);
  const compare = useCallback(
    (name: string) => {
      if (marked === undefined || marked === name) return setMarked(marked === name ? undefined : name);
      location.hash = hrefOf({ page: "compare", left: marked, right: name });
    },
    [marked],
  );
  const zoomBy = useCallback((step: number) => setZoom((from) => from + step), []);
  const goOn = useCallback(() => {
    const all = groups.flatMap((group) => group.stones);
    const from = all.findIndex(({ node }) => node.name === active);
    const next = [...all.slice(from + 1), ...all.slice(0, from + 1)].find(({ level }) => level !== "proven");
    if (next !== undefined) setActive(next.node.name);
  }, [groups, active]);

  useEffect(() => {
    if (!isShown) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && /^(?:INPUT|SELECT|TEXTAREA)$/u.test(event.target.tagName);
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape" && event.target === filter.current) setText("");
      if (isTyping) return;
      if (event.key === "/") filter.current?.focus();
      else if (event.key === "n") goOn();
      else if (event.key === "c" && active !== undefined) compare(active);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [isShown, goOn, compare, active]);

  if (view === undefined || now === undefined) return <main className="empty">Waiting for the first answer…</main>;
  const { headline, state } = headlineOf(stones);
  return (
    <main className="fleet">
      <h1 className={`headline headline-${state}`}>{headline}</h1>
      <div className="tools" role="group" aria-label="What is shown">
        <label className="filter">
          <span className="only-heard">Filter nodes</span>
          <input
            ref={filter}
            type="search"
            placeholder="Name, release, identity…  ( / )"
            value={text}
            onChange={({ target }) => setText(target.value)}
          />
        </label>
        <span className="chips" role="group" aria-label="Levels">
          {LEVELS_WORST_FIRST.map((level) => (
            <button
              key={level}
              type="button"
              className={`chip level-${level}`}
              aria-pressed={levels.has(level)}
              title={STATE_WORDS[level].says}
              onClick={() => setLevels(toggled(levels, level))}
            >
              <span aria-hidden="true">{STATE_WORDS[level].sign}</span> {(counts[level] ?? 0).toLocaleString("en")}{" "}
              {STATE_WORDS[level].label}
            </button>
          ))}
        </span>
        <label>
          Group by{" "}
          <select
            value={grouping}
            onChange={({ target }) => setGrouping(GROUPINGS.find((each) => each === target.value) ?? "none")}
          >
            {GROUPINGS.map((each) => (
              <option key={each} value={each}>
                {each === "none" ? "nothing" : each}
              </option>
            ))}
          </select>
        </label>
        <span className="zoom" role="group" aria-label="Size of stones">
          <button type="button" aria-label="Smaller" onClick={() => setZoom(zoom - 1)}>
            −
          </button>
          <button type="button" aria-label="Fit: all at once" onClick={() => setZoom(0)}>
            fit
          </button>
          <button type="button" aria-label="Larger" onClick={() => setZoom(zoom + 1)}>
            +
          </button>
        </span>
        <span className="quiet" role="status">
          {shown === stones.length
            ? plural(shown, "node")
            : `${shown.toLocaleString("en")} of ${plural(stones.length, "node")}`}
        </span>
      </div>
      <div className="fleet-body">
        <Wall
          groups={groups}
          colours={colours}
          active={active}
          marked={marked}
          zoom={zoom}
          onActive={setActive}
          onOpen={open}
          onZoom={zoomBy}
        />
        <aside className="side" aria-label="Node">
          <Inspector stone={current} now={now} maxAgeSeconds={view.maxAgeSeconds} marked={marked} onCompare={compare} />
          <Legend />
        </aside>
      </div>
    </main>
  );
}

/** The same list as long as no level has changed: what is made of it need not be made again. */
function useStones(view: FleetView | undefined, now: number | undefined): readonly Stone[] {
  const last = useRef<readonly Stone[]>([]);
  const stones = stonesOf(view, now);
  const isSame =
    stones.length === last.current.length &&
    stones.every(({ node, level }, index) => node === last.current[index]?.node && level === last.current[index].level);
  if (!isSame) last.current = stones;
  return last.current;
}

function stonesOf(view: FleetView | undefined, now: number | undefined): readonly Stone[] {
  if (view === undefined || now === undefined) return [];
  return view.nodes.map((node) => {
    const ageMs = node.provedAt === null ? undefined : now - Date.parse(node.provedAt);
    return { node, level: levelNow(node.level, ageMs, view.maxAgeSeconds * 1000) };
  });
}

function countsOf(stones: readonly Stone[]): Partial<Record<Level, number>> {
  const counts: Partial<Record<Level, number>> = {};
  for (const { level } of stones) counts[level] = (counts[level] ?? 0) + 1;
  return counts;
}

function toggled(levels: ReadonlySet<Level>, level: Level): ReadonlySet<Level> {
  const next = new Set(levels);
  if (!next.delete(level)) next.add(level);
  return next;
}

function titleOf(grouping: Grouping, key: string | null | undefined): string {
  if (key === undefined) return grouping === "none" ? "All nodes" : "All others";
  if (key === null) return `No ${grouping}`;
  return grouping === "level" ? key : `${grouping} ${shortened(key)}`;
}
