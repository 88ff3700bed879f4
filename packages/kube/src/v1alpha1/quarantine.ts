import { z } from "zod";

export const QUARANTINE_MODES = ["none", "warn", "enforce"] as const;

/** What happens to nodes of a class that are not proven. */
export type Quarantine = {
  /** Not `off`: without quotes, that is false in the YAML of kubectl. */
  readonly mode: (typeof QUARANTINE_MODES)[number];
  readonly maxPercent: number;
  readonly evictAfterSeconds?: number;
  readonly alsoUnknown: boolean;
};

const DEFAULT: Quarantine = { mode: "none", maxPercent: 10, alsoUnknown: false };
const MAX_SECONDS = 7 * 86_400;

export const quarantineSchema: z.ZodType<Quarantine> = z
  .object({
    mode: z
      .enum(QUARANTINE_MODES)
      .default(DEFAULT.mode)
      .describe(
        "`enforce`: nodes that are not proven have the taint ashlar.dev/unproven:NoSchedule, from when they appear until their first proof, and again when they prove to be something else. `warn`: it is only said which would have it",
      ),
    maxPercent: z
      .int()
      .min(1)
      .max(100)
      .default(DEFAULT.maxPercent)
      .describe(
        "How much of the cluster's nodes may have lost work by this at once: one at least, and never all. Beyond that nothing further is tainted, and the condition `Quarantine` says so. Nodes that have never had work do not count",
      ),
    evictAfterSeconds: z
      .int()
      .min(0)
      .max(MAX_SECONDS)
      .exactOptional()
      .describe(
        "How long a node may be something else, and be tainted, until its pods have to leave (NoExecute). Without it they stay",
      ),
    alsoUnknown: z
      .boolean()
      .default(DEFAULT.alsoUnknown)
      .describe("Whether nodes are tainted, too, of which only nothing is known any more. Their pods stay"),
  })
  .default(DEFAULT)
  .describe("Whether nodes that are not proven get work");
