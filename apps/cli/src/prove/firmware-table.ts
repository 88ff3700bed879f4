import { printable } from "@ashlar/base";
import { alignColumns, joinDrawn, styled, type Printed } from "@ashlar/host/terminal";
import type { ExplainedEvent, FirmwareRole } from "@ashlar/identity";

const COLOURS: Readonly<Record<FirmwareRole, "green" | "yellow" | "red" | "dim">> = {
  pinned: "green",
  judged: "green",
  accepted: "yellow",
  refused: "red",
  free: "dim",
};

const TITLES = ["PCR", "ROLE", "DIGEST", "TYPE", "WHAT THE LOG SAYS OF IT"];
const ROLE_COLUMN = 1;
/** Whole where the operator may have to name it. */
const SHORT_DIGITS = 12;

/** One line for each event of a firmware log, then what the roles mean. */
export function firmwareTable(events: readonly ExplainedEvent[]): Printed[] {
  const rows = events.map(({ pcr, role, digest, type, what, isProved }) => {
    const shown = role === "refused" || role === "accepted" ? digest : digest.slice(0, SHORT_DIGITS);
    return [String(pcr), role, shown, type.replace(/^EV_/u, ""), isProved ? what : `${what} (not proved)`];
  });
  const table = [TITLES, ...rows].map((row) => row.map(printable));
  const lines = alignColumns(table).map((aligned, index): Printed => {
    const cells: Printed[] = [...aligned];
    const event = events[index - 1];
    if (event !== undefined) cells[ROLE_COLUMN] = styled(COLOURS[event.role], String(cells[ROLE_COLUMN]));
    return joinDrawn(cells, "  ");
  });
  return [...lines, "", ...MEANINGS];
}

const MEANINGS: readonly string[] = [
  "pinned: remembered at enrolment, another value later is a mismatch. judged: compared with the declared release.",
  "accepted: by the operator, exactly this digest. refused: only an accepted digest may be there. free: nothing rests on it.",
];
