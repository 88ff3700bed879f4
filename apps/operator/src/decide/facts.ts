import type { NodeVerdict } from "@ashlar/identity";
import type { Pin } from "@ashlar/verifier";
import type { Reason } from "./reasons.ts";

/** What came of asking a node: a verdict on what it has answered, or why there was no answer. */
export type Outcome =
  | { readonly kind: "judged"; readonly verdict: NodeVerdict; readonly newPin: Pin | undefined }
  | { readonly kind: "silent"; readonly why: string };

/** The last time that a node was asked. */
export type Asked = {
  readonly outcome: Outcome;
  /** The Node's bootID then. */
  readonly bootId: string;
  readonly className: string;
  /** A clock that never jumps. */
  readonly monotonicMs: number;
};

/** Why a node can be held against nothing. */
export type Fault = { readonly reason: Reason; readonly message: string };

/** Both clocks: times are written by the one, and measured by the other. */
export type Clock = { readonly wallMs: number; readonly monotonicMs: number };

/** As much of a class's plan as its status tells. */
export type PlanFault =
  | { readonly kind: "making" }
  | { readonly kind: "ready" }
  | { readonly kind: "fault"; readonly message: string };
