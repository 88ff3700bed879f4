import type { RequestCount } from "../cluster/service-client.ts";
import type { DemoReport, ReportedStep, ReportedVerdict } from "../demo-report.ts";
import { escapeHtml } from "@ashlar/base";

const WIDTH = 1000;
const LEFT = 62;
const RIGHT = 12;
const ACTS_TOP = 14;
const ACTS_HEIGHT = 20;
const ROWS_TOP = 58;
const ROW_HEIGHT = 58;
/** Where a label may be above its dot: the second is for one that would run into the one before it. */
const LABEL_HEIGHTS = [10, 23] as const;
const REQUESTS_HEIGHT = 40;
/** Of ten seconds, however short the whole was. */
const MAX_BAR_WIDTH = 20;
const CHARACTER_WIDTH = 6.4;

type Played = Pick<DemoReport, "steps" | "verdicts"> & { readonly requests: readonly RequestCount[] };

/**
 * The nodes over the time in which acts were played: a dot for each proof, a bar where the proofs on both sides say the same,
 * dots of a line where the node changed in between.
 */
export function renderTimeline({ steps: all, verdicts, requests }: Played): string {
  const steps = all.filter(({ act, beside }) => act !== "build" && beside !== true);
  const total = steps.reduce((sum, { seconds }) => sum + seconds, 0);
  if (total === 0 || verdicts.length === 0) return "";
  const place = (second: number): number => LEFT + (second / total) * (WIDTH - LEFT - RIGHT);
  const names = [...new Set(verdicts.flatMap(({ nodes }) => nodes.map(({ name }) => name)))];
  const requestsTop = ROWS_TOP + names.length * ROW_HEIGHT;
  const height = requestsTop + (requests.length === 0 ? 0 : REQUESTS_HEIGHT + 12) + 18;
  const rows = names.map((name, index) => renderNode(name, ROWS_TOP + index * ROW_HEIGHT, steps, verdicts, place));
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="What each node was proven to be, over time">
${renderActs(steps, place)}
${rows.join("\n")}
${renderRequests(requests, requestsTop, (at) => place(secondOf(at, steps)))}
${renderMinutes(total, height - 4, place)}
</svg>`;
}

type Place = (second: number) => number;

function renderActs(steps: readonly ReportedStep[], place: Place): string {
  const spans: { readonly act: string; readonly from: number; to: number }[] = [];
  let second = 0;
  for (const { act, seconds } of steps) {
    const last = spans.at(-1);
    if (last?.act === act) last.to += seconds;
    else spans.push({ act, from: second, to: second + seconds });
    second += seconds;
  }
  return spans
    .map(({ act, from, to }) => {
      const [x, width] = [place(from), place(to) - place(from)];
      const label =
        width < act.length * 7 ? "" : `<text x="${round(x + 5)}" y="${ACTS_TOP + 14}">${escapeHtml(act)}</text>`;
      return `<rect class="band" x="${round(x)}" y="${ACTS_TOP}" width="${round(width)}" height="${ACTS_HEIGHT}"/>${label}`;
    })
    .join("\n");
}

function renderNode(
  name: string,
  top: number,
  steps: readonly ReportedStep[],
  verdicts: readonly ReportedVerdict[],
  place: Place,
): string {
  const middle = top + 32;
  const points = verdicts.flatMap(({ at, nodes }) => {
    const node = nodes.find((each) => each.name === name);
    return node === undefined ? [] : [{ x: place(secondOf(at, steps)), node, facts: factsOf(node) }];
  });
  const parts = [`<text x="0" y="${middle + 4}">${escapeHtml(name)}</text>`];
  const ends = LABEL_HEIGHTS.map(() => 0);
  for (const [index, { x, node, facts }] of points.entries()) {
    const before = points[index - 1];
    if (before !== undefined) {
      const same = String(before.facts) === String(facts) && before.node.level === node.level;
      const kind = same ? `bar ${escapeHtml(node.level)}` : "between";
      parts.push(
        `<line class="${kind}" x1="${round(before.x)}" x2="${round(x)}" y1="${middle}" y2="${middle}" stroke-width="${same ? 5 : 2}"/>`,
      );
    }
    const title = `<title>${escapeHtml(`${node.level}: ${facts.join(", ")}`)}</title>`;
    parts.push(`<circle class="dot ${escapeHtml(node.level)}" cx="${round(x)}" cy="${middle}" r="5">${title}</circle>`);
    const label = changeOf(before?.facts ?? [], facts);
    const start = Math.min(x, WIDTH - label.length * CHARACTER_WIDTH);
    const row = ends.findIndex((end) => end <= start);
    if (label === "" || row === -1) continue;
    ends[row] = start + label.length * CHARACTER_WIDTH + CHARACTER_WIDTH;
    parts.push(`<text x="${round(start)}" y="${middle - (LABEL_HEIGHTS[row] ?? 0)}">${escapeHtml(label)}</text>`);
  }
  return parts.join("\n");
}

/** For example `1.1.0` and `kubernetes v1.33.5`. */
function factsOf({ level, release, extensions }: ReportedVerdict["nodes"][number]): readonly string[] {
  if (release === null) return [level];
  return [
    release,
    ...extensions.map(({ name, version, until }) => `${name} ${version ?? "?"}${until === null ? "" : " (debug)"}`),
  ];
}

/** What is new, and what has gone without another version of it. */
function changeOf(before: readonly string[], now: readonly string[]): string {
  const names = new Set(now.map(nameOf));
  if (now.length === 1 && before.length > 1) return now.join();
  const gone = before.filter((fact) => fact.includes(" ") && !names.has(nameOf(fact)));
  return [...now.filter((fact) => !before.includes(fact)), ...gone.map((fact) => `no ${nameOf(fact)}`)].join(", ");
}

function nameOf(fact: string): string {
  return fact.split(" ")[0] ?? fact;
}

/** Steps follow each other without the time in which no demo was played. */
function secondOf(at: string, steps: readonly ReportedStep[]): number {
  const time = Date.parse(at);
  let second = 0;
  for (const { startedAt, seconds } of steps) {
    const within = (time - Date.parse(startedAt)) / 1000;
    if (within <= seconds + 1) return second + Math.min(Math.max(within, 0), seconds);
    second += seconds;
  }
  return second;
}

/** What was answered, and above it what was not, as a bar for each count. */
function renderRequests(requests: readonly RequestCount[], top: number, place: (at: string) => number): string {
  if (requests.length === 0) return "";
  const most = Math.max(1, ...requests.map(({ answered, failed }) => answered + failed));
  const bottom = top + REQUESTS_HEIGHT;
  const bars = requests.map(({ at, answered, failed }, index) => {
    const x = place(at);
    const next = requests[index + 1];
    const width = Math.max(1, Math.min(next === undefined ? 1 : place(next.at) - x, MAX_BAR_WIDTH));
    const [good, bad] = [answered, failed].map((count) => (count / most) * REQUESTS_HEIGHT);
    return [
      bar("answered", x, bottom - (good ?? 0), width, good ?? 0),
      failed === 0 ? "" : bar("failed", x, bottom - (good ?? 0) - (bad ?? 0), width, Math.max(2, bad ?? 0)),
    ].join("");
  });
  return `<text x="0" y="${top + REQUESTS_HEIGHT / 2}">requests</text>\n${bars.join("\n")}`;
}

function bar(kind: "answered" | "failed", x: number, y: number, width: number, height: number): string {
  return `<rect class="${kind}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"/>`;
}

function renderMinutes(total: number, y: number, place: Place): string {
  const every = total > 1200 ? 300 : 60;
  const marks = Array.from({ length: Math.floor(total / every) + 1 }, (_, index) => index * every);
  return marks
    .filter((second) => place(second) < WIDTH - 40)
    .map((second) => `<text class="muted" x="${round(place(second))}" y="${y}">${second / 60} min</text>`)
    .join("\n");
}

function round(value: number): string {
  return value.toFixed(1);
}
