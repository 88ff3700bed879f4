import { AshlarError } from "@ashlar/base";
import { parseDocument } from "@ashlar/protocol/answers";
import { z } from "zod";
import { FLEET_VERDICT_SCHEMA, fleetVerdictSchema, type FleetVerdict } from "./verdict.ts";

/**
 * Reads what `ashlar prove --json` has printed. In version 1, which does not say its name, a wrong next boot was a part of
 * the node's level: read as this one it would say other things than it meant.
 *
 * @throws AshlarError `limit`, `malformed`
 */
export function parseFleetVerdict(text: string): FleetVerdict {
  const { schema } = parseDocument(text, named, WHAT, MAX_CHARACTERS);
  if (schema === FLEET_VERDICT_SCHEMA) return parseDocument(text, fleetVerdictSchema, WHAT, MAX_CHARACTERS);
  const found = schema === undefined ? "none, as in version 1" : JSON.stringify(schema.slice(0, MAX_SHOWN_CHARACTERS));
  throw new AshlarError("malformed", `${WHAT}: expected the schema ${FLEET_VERDICT_SCHEMA}, found ${found}`, {
    hint: "use the ashlar that has printed it, or judge the evidence again: ashlar prove --from DIRECTORY --json",
  });
}

const named = z.object({ schema: z.string().optional() });

const WHAT = "verdict on a fleet";
/** Ten thousand nodes with the extensions and differences of a bad day. */
const MAX_CHARACTERS = 256 * 1024 * 1024;
const MAX_SHOWN_CHARACTERS = 100;
