export const ROLLOUTS_SCHEMA = "ashlar.rollouts/v1";

/** What is seen of Rollouts: `ashlar rollout status -o json`, and `/v1/rollouts` of the console. */
export type RolloutsView = {
  readonly schema: typeof ROLLOUTS_SCHEMA;
  /** RFC 3339, by the clock of who has made the document. */
  readonly at: string;
  /** Why they cannot be read now: then they are as they were last. */
  readonly problem: string | null;
  /** The newest first. */
  readonly rollouts: readonly RolloutView[];
};

/** Members are null where nothing is known. States, phases and texts are as in the Rollout's status. */
export type RolloutView = {
  readonly name: string;
  readonly class: string | null;
  readonly release: string | null;
  readonly phase: string;
  /** Whether the status is about what is asked for now: otherwise the operator has not looked at it since it was changed. */
  readonly isCurrent: boolean;
  readonly isPaused: boolean;
  readonly isAborted: boolean;
  readonly isDeleting: boolean;
  readonly attempt: number | null;
  /** The wave that goes on. */
  readonly wave: string | null;
  /** What it waits for, in words. */
  readonly message: string | null;
  readonly halt: { readonly node: string; readonly message: string; readonly since: string } | null;
  readonly createdAt: string;
  /** How many nodes take part, and how many of them are proven at the release. */
  readonly total: number;
  readonly done: number;
  /** In their order; those without nodes are left out. */
  readonly waves: readonly RolloutWaveView[];
};

export type RolloutWaveView = {
  readonly name: string;
  readonly isApproved: boolean;
  readonly total: number;
  readonly done: number;
  readonly nodes: readonly RolloutNodeView[];
};

export type RolloutNodeView = {
  readonly name: string;
  readonly state: string;
  /** RFC 3339: since when it is in this state. */
  readonly since: string;
  /** Why it waits, or how it has ended. */
  readonly message: string | null;
  /** The release that it was proven to run when its turn came. */
  readonly from: string | null;
  /** How many drains did not end. */
  readonly drains: number;
};

/** How a phase or a state of a node is meant: what to look at first is `bad`. */
export type RolloutTone = "good" | "busy" | "bad" | "idle";

const TONES: Readonly<Record<string, RolloutTone>> = {
  Done: "good",
  Rolling: "busy",
  Staging: "busy",
  BeforeReboot: "busy",
  AfterReboot: "busy",
  Draining: "busy",
  Rebooting: "busy",
  Proving: "busy",
  Rejoining: "busy",
  Uncordoning: "busy",
  Returning: "busy",
  Halted: "bad",
  Blocked: "bad",
  Held: "bad",
  FellBack: "bad",
  Failed: "bad",
};

export function rolloutTone(word: string): RolloutTone {
  return Object.hasOwn(TONES, word) ? (TONES[word] ?? "idle") : "idle";
}
