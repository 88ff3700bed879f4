import { z } from "zod";

/** How Rollouts deal with the nodes of a class, beside what each Rollout says. */
export type NodeRollout = {
  readonly beforeReboot?: RebootHook;
  readonly afterReboot?: RebootHook;
  readonly labels?: {
    readonly beforeReboot: Readonly<Record<string, string>>;
    readonly afterReboot: Readonly<Record<string, string>>;
  };
};

/** A check by other programs: see Hook in @ashlar/rollout. */
export type RebootHook = {
  readonly label: string;
  readonly annotations: readonly string[];
  readonly timeoutSeconds: number;
};

/** Those of FLUO, which DaemonSets select nodes by. */
const FLUO = "flatcar-linux-update.v1.flatcar-linux.net";
const MAX_ANNOTATIONS = 16;
const MAX_LABELS = 8;
const DAY = 86_400;

const key: z.ZodString = z
  .string()
  .max(317)
  .regex(/^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/u);

function hook(which: "before-reboot" | "after-reboot", ends: string): z.ZodType<RebootHook> {
  return z.object({
    label: key
      .default(`${FLUO}/${which}`)
      .describe("A label that is `true` on the Node while the check runs: DaemonSets select nodes by it"),
    annotations: z
      .array(key)
      .min(1)
      .max(MAX_ANNOTATIONS)
      .describe("Annotations of the Node. Each has to become `true`; all are removed when the check begins and ends")
      .meta({ "x-kubernetes-list-type": "set" }),
    timeoutSeconds: z.int().min(1).max(DAY).default(900).describe(ends),
  });
}

const labels: z.ZodType<Readonly<Record<string, string>>> = z
  .record(z.string(), z.string().max(63))
  .default({})
  .meta({ maxProperties: MAX_LABELS });

export const nodeRolloutSchema: z.ZodType<NodeRollout> = z
  .object({
    beforeReboot: hook(
      "before-reboot",
      "After this time the node is `Blocked`: nothing was taken from it, and it is tried again as after a drain that did not end",
    )
      .exactOptional()
      .describe("What has to agree before a node is cordoned"),
    afterReboot: hook(
      "after-reboot",
      "After this time the node is `Held`, and the Rollout halts. It stays cordoned until all agree",
    )
      .exactOptional()
      .describe("What has to agree before a node takes pods again; it is proven and Ready then"),
    labels: z
      .object({
        beforeReboot: labels.describe("Set when a node is cordoned"),
        afterReboot: labels.describe("Set when it is uncordoned, restarted or not: best with the same keys"),
      })
      .exactOptional()
      .describe("Labels of Nodes that say where a node is; nobody is waited for"),
  })
  .describe("Checks by other programs before and after a restart, as FLUO has them, and labels, as Kured has them");
