import type { UpdateStatus, ExtensionsStatus } from "@ashlar/protocol";
import {
  describeBlocked,
  mergedOf,
  type BlockedPod,
  type ComponentGoal,
  type TurnEvent,
  type Goal,
  type Step,
} from "@ashlar/rollout";
import type { Teller } from "./progress-printer.ts";

type Waited = Extract<Step, { kind: "wait" }>["what"];

/** What a node does in its turn to run another release. */
export function tellRelease({ target, order }: Pick<Goal, "target" | "order">): Teller<UpdateStatus> {
  return ({ step, status, blocked }) => {
    const isFetching = step.kind === "wait" && step.what === "staging" && status?.phase === "fetching";
    const text = tell(step, {
      prove: `proving that it runs ${status?.version}`,
      order: `telling it to ${order === "rollback" ? "roll back to" : "stage"} ${target}`,
      "prove-next-boot": `proving that it boots ${target} next`,
      reboot: "restarting it",
      "foresee-drain": "looking whether its pods can be moved away",
      drain: tellDrain(blocked),
      uncordon: "uncordoning it",
      done: step.kind === "done" && step.how === "staged" ? `boots ${target} next: proven` : `runs ${target}: proven`,
      wait: {
        answer: "waiting for an answer",
        restart: "restarting",
        rejoin: "waiting until its Node is Ready",
        health: `${status?.version} is on trial until it is found healthy`,
        staging: `${status?.phase} ${status?.target ?? ""}`.trimEnd(),
      },
    });
    return { text, progress: isFetching ? status.progress : null };
  };
}

/** For example "draining it: 2 pods left; shop/web-1: PodDisruptionBudget web: needs 2 healthy pods and has 2". */
function tellDrain(blocked: readonly BlockedPod[] | undefined): string {
  const [first] = blocked ?? [];
  if (blocked === undefined || first === undefined) return "draining it";
  return `draining it: ${blocked.length} ${blocked.length === 1 ? "pod" : "pods"} left; ${describeBlocked(first)}`;
}

/** The same for a component. */
export function tellComponent({ component, target }: ComponentGoal): Teller<ExtensionsStatus> {
  return ({ step, status }: TurnEvent<ExtensionsStatus>) => {
    const version = status === undefined ? undefined : mergedOf(status, component)?.version;
    const doing = [status?.phase, status?.target?.name, status?.target?.version].filter(
      (part) => typeof part === "string",
    );
    const text = tell(step, {
      prove: `proving that it has ${version === undefined ? `no ${component}` : `${component} ${version}`}`,
      order: `telling it to take ${component} to ${target}`,
      done: `has ${component} ${target}: proven`,
      wait: { answer: "waiting for an answer", staging: doing.join(" ") },
    });
    const isFetching = step.kind === "wait" && status?.phase === "fetching";
    return { text, progress: isFetching ? status.progress : null };
  };
}

/** What steps are called; a kind of update need not have all of them. */
type Words = { readonly [Kind in Exclude<Step["kind"], "wait" | "stop">]?: string } & {
  readonly wait: { readonly [What in Waited]?: string };
};

function tell(step: Step, words: Words): string {
  if (step.kind === "stop") return `stopped: ${step.reason.message.split("\n")[0]}`;
  return (step.kind === "wait" ? words.wait[step.what] : words[step.kind]) ?? step.kind;
}
