/**
 * A fleet as a value: the file that declares it, and the certificate of what was proved of it. Pure: files, keys and clocks
 * are the caller's.
 */
export { parseFleet } from "./file/fleet-file.ts";
export type { Fleet, FleetCluster, FleetNode } from "./file/fleet-file.ts";
export { fleetJsonSchema } from "./file/schema.ts";
export type { FleetClass, FleetTrust } from "./file/schema.ts";
