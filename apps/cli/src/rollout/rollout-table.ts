import { joinDrawn, styled, type Printed } from "@ashlar/host/terminal";
import { formatAge, rolloutTone, type RolloutNodeView, type RolloutTone, type RolloutView } from "@ashlar/views";
import { GrowingTable } from "../growing-table.ts";

export type Row = {
  /** Names it among the others. */
  readonly key: string;
  /** What it says apart from ages, which are always others. */
  readonly gist: string;
  readonly cells: readonly string[];
  /** The phase or state in it, and in which cell. */
  readonly word: string;
};

const COLOURS: Readonly<Record<RolloutTone, "green" | "yellow" | "red" | undefined>> = {
  good: "green",
  busy: "yellow",
  bad: "red",
  idle: undefined,
};

const OF_ALL = ["NAME", "CLASS", "RELEASE", "PHASE", "WAVE", "DONE", "OF", "AGE"];
const OF_ONE = ["WAVE", "NODE", "STATE", "FOR"];

/** Rollouts, one a line; or the nodes of one, wave by wave. */
export class RolloutTable {
  readonly #table: GrowingTable;

  constructor(of: "all" | "one", isWide: boolean) {
    const own = of === "all" ? OF_ALL : OF_ONE;
    const wide = of === "all" ? ["ATTEMPT"] : ["FROM", "DRAINS"];
    this.#table = new GrowingTable([...own, ...(isWide ? wide : []), "WAITS FOR"]);
  }

  begin(rows: readonly Row[]): readonly Printed[] {
    const { titles, rows: aligned } = this.#table.begin(rows.map(({ cells }) => cells));
    return [joinDrawn(titles, "  "), ...draw(aligned, rows)];
  }

  more(rows: readonly Row[]): readonly Printed[] {
    return draw(this.#table.more(rows.map(({ cells }) => cells)), rows);
  }
}

function draw(aligned: readonly (readonly string[])[], rows: readonly Row[]): readonly Printed[] {
  return aligned.map((cells, index) => {
    const word = rows[index]?.word ?? "";
    const colour = COLOURS[rolloutTone(word)];
    const painted = cells.map((cell): Printed => (cell.trimEnd() === word && colour ? styled(colour, cell) : cell));
    return joinDrawn(painted, "  ");
  });
}

export function rowsOfAll(rollouts: readonly RolloutView[], isWide: boolean, nowMs: number): readonly Row[] {
  return rollouts.map((rollout) => {
    const { name, class: className, release, phase, wave, done, total, createdAt, attempt } = rollout;
    const cells = [name, className ?? "-", release ?? "-", phase, wave ?? "-", String(done), String(total)];
    const more = [...(isWide ? [String(attempt ?? "-")] : []), whatKeeps(rollout) ?? "-"];
    const gist = JSON.stringify([cells, more]);
    return { key: name, gist, cells: [...cells, ageOf(createdAt, nowMs), ...more], word: phase };
  });
}

export function rowsOfOne({ waves }: RolloutView, isWide: boolean, nowMs: number): readonly Row[] {
  return waves.flatMap(({ name: wave, nodes }) =>
    nodes.map((node: RolloutNodeView) => {
      const { name, state, since, message, from, drains } = node;
      const more = [...(isWide ? [from ?? "-", String(drains)] : []), message ?? "-"];
      const gist = JSON.stringify([wave, state, more]);
      return { key: name, gist, cells: [wave, name, state, ageOf(since, nowMs), ...more], word: state };
    }),
  );
}

function ageOf(time: string, nowMs: number): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? "-" : formatAge(nowMs - at);
}

/** Why nothing further is begun, or what is known to be missing. */
export function whatKeeps({ message, halt, isCurrent, isDeleting, isPaused, phase }: RolloutView): string | undefined {
  if (!isCurrent) return "the operator has not looked at it since it was changed";
  if (halt !== null) return halt.message;
  if (message !== null) return message;
  if (isDeleting) return "it is deleted";
  return isPaused && phase !== "Done" ? "it is paused" : undefined;
}

/** One Rollout in a line: "to-1-1-0: worker to 1.1.0, Rolling, wave zone-a, 3 of 9 nodes done". */
export function headOf({ name, class: className, release, phase, wave, done, total }: RolloutView): string {
  const parts = [`${className ?? "-"} to ${release ?? "-"}`, phase, ...(wave === null ? [] : [`wave ${wave}`])];
  return `${name}: ${parts.join(", ")}, ${done} of ${total} ${total === 1 ? "node" : "nodes"} done`;
}
