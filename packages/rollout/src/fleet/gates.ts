import type { Fleet, FleetPolicy, GateReadings, NodeRecord } from "./fleet.ts";
import { STATES } from "./node-state.ts";

/** A gate that has to be read now. What was read at another point counts for nothing here. */
export type GateQuestion = { readonly name: string; readonly point: string };

/**
 * Which gates have to be read as things are: a new point comes with each wave, for those of nodes with each node that has come to an end,
 * and with each attempt.
 *
 * @param wave the one that goes on; undefined when all are over
 */
export function gateQuestions(
  { gates }: Pick<FleetPolicy, "gates">,
  { attempt, records }: Fleet,
  wave: string | undefined,
): readonly GateQuestion[] {
  const isRolled = records.some(({ restartedFrom }) => restartedFrom !== undefined);
  if (wave === undefined) return isRolled ? gates.map(({ name }) => ({ name, point: `${attempt} end` })) : [];
  const hasBegun = records.some((record) => record.wave === wave && wasTaken(record));
  const ended = records.filter((record) => wasTaken(record) && STATES[record.state].isEnd).length;
  return gates
    .filter(({ before }) => before === "node" || !hasBegun)
    .map(({ name, before }) => ({ name, point: `${attempt} ${wave}${before === "node" ? ` ${ended}` : ""}` }));
}

/** Its pods had to go, or still have. */
function wasTaken({ state, restartedFrom }: NodeRecord): boolean {
  return STATES[state].isOut || restartedFrom !== undefined;
}

/** Why nobody may be drained; undefined when all that have to be are open. What was not read is closed. */
export function closedGates(questions: readonly GateQuestion[], readings: GateReadings): string | undefined {
  const closed = questions.flatMap(({ name, point }) => {
    const reading = readings.get(name);
    if (reading?.point !== point) return [`gate ${name}: it has not been read yet`];
    return reading.isOpen ? [] : [`gate ${name}: ${reading.message}`];
  });
  return closed.length === 0 ? undefined : closed.join("; ");
}
