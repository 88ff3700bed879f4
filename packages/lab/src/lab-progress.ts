import type { NodeProgress } from "./wait-for-node.ts";

/** A line about the lab as a whole, or how far one node has come. */
export type LabProgress = { readonly message: string } | NodeProgress;
