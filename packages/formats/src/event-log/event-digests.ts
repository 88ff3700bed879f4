import type { HashName } from "../tpm/hash-algorithm.ts";

/** An event's digest for each bank that it was extended into and whose hash Ashlar can compute. */
export type EventDigests = { readonly [Name in HashName]?: Uint8Array };
