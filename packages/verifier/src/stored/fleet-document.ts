import { z } from "zod";
import { nodeNameSchema } from "../node-name.ts";
import { MAX_NODES, SHARED_NAMES } from "./layout.ts";

const FLEET_SCHEMA = "ashlar.evidence-directory/v1";

export const MAX_FLEET_BYTES: number = 16 * 1024 * 1024;

/** `fleet.json`: what makes a directory one of evidence. */
export type FleetDocument = {
  readonly schema: typeof FLEET_SCHEMA;
  /** Names of all nodes that were asked, those that did not answer too. */
  readonly nodes: readonly string[];
};

export const fleetDocumentSchema: z.ZodType<FleetDocument> = z.strictObject({
  schema: z.literal(FLEET_SCHEMA),
  nodes: z
    .array(nodeNameSchema)
    .max(MAX_NODES)
    .refine((names) => new Set(names).size === names.length, "expected each node once")
    .refine((names) => !names.some((name) => SHARED_NAMES.has(name)), "expected no node with the name of a file here"),
});

export function fleetDocument(nodes: readonly string[]): FleetDocument {
  return { schema: FLEET_SCHEMA, nodes };
}
