import type { BankValues } from "@ashlar/protocol/answers";
import type { BankDigests } from "./known-digests.ts";

/** One extension of a PCR, proved by the quote through the replay: its digest and its place in the order. */
export type MeasuredEvent = {
  readonly source: "firmware" | "userspace";
  /** What rules call it, in hexadecimal: see `judgedDigest`. */
  readonly digest: string;
  /** What it has extended. */
  readonly banks: BankDigests;
  /** The word whose hash the digest is; proved like the digest. Undefined for anything else. */
  readonly word: string | undefined;
  /** The firmware's data whose hash the digest is; proved like the digest. Undefined for anything else. */
  readonly data: Uint8Array | undefined;
};

/** What was measured into PCRs 0 to 15, in order. Only made when quote and logs agree. */
export type Measurements = {
  readonly pcrs: BankValues;
  readonly events: ReadonlyMap<number, readonly MeasuredEvent[]>;
};
