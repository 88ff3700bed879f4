import type { UpdatePhase, UpdateProgress } from "@ashlar/protocol";

/** What only the running process knows. */
export type Activity = {
  readonly phase: UpdatePhase;
  readonly target: string | null;
  readonly progress: UpdateProgress | null;
};

export const IDLE: Activity = { phase: "idle", target: null, progress: null };
