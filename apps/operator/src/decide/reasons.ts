/** The reasons of all conditions and Events: one word each, with what it means and what to do. */
import type { DifferenceCode, Level } from "@ashlar/identity";

/** Where a reason is found. */
export type ReasonPlace =
  | "NodeProof Proven"
  | "NodeProof Answers"
  | "NodeProof Quarantined"
  | "NodeClass Ready"
  | "NodeClass Quarantine"
  | "Rollout Progressing"
  | "Rollout Complete"
  | "Rollout Halted"
  | "Event of a Node"
  | "Event of a NodeClass"
  | "Event of a Rollout";

export type ReasonEntry = {
  /** A reason of a NodeProof's condition is that of an Event of its Node, too. */
  readonly at: readonly ReasonPlace[];
  readonly means: string;
  readonly toDo: string;
};

const PROVEN = ["NodeProof Proven", "Event of a Node"] as const;
const QUARANTINED = ["NodeProof Quarantined", "Event of a Node"] as const;
const PHASE = ["Rollout Progressing", "Rollout Complete", "Rollout Halted", "Event of a Rollout"] as const;
const ROLLED = ["Event of a Rollout"] as const;
const NOTHING = "Nothing.";

/** All but those that follow from codes of differences. */
export const OWN_REASONS = [
  "Proven",
  "NeverProven",
  "ProofTooOld",
  "Restarted",
  "NoClass",
  "SeveralClasses",
  "ClassNotReady",
  "NodeGone",
  "PinUnreadable",
  "Reported",
  "Unknown",
  "Answered",
  "AgentSilent",
  "Enrolled",
  "NotProvenYet",
  "Mismatch",
  "MustLeave",
  "NothingKnown",
  "Admitted",
  "WarnOnly",
  "LimitReached",
  "Enforced",
  "NotAllowed",
  "Read",
  "NotUsable",
  "StatusUnreadable",
  "Waits",
  "Pending",
  "Rolling",
  "Waiting",
  "Halted",
  "Stopped",
  "Aborted",
  "Done",
  "BeforeReboot",
  "Draining",
  "Rebooting",
  "AfterReboot",
  "FellBack",
  "Blocked",
  "Held",
  "Failed",
] as const;

type OwnReason = (typeof OWN_REASONS)[number];

export const REASONS: Readonly<Record<OwnReason, ReasonEntry>> = {
  Proven: { at: PROVEN, means: "The node runs what was declared, signed by a trusted TPM.", toDo: NOTHING },
  NeverProven: {
    at: PROVEN,
    means: "The node has been asked, and was never proven.",
    toDo: "`Answers` says whether its agent does. Does port 7443 of the Node's InternalIP lead to it?",
  },
  ProofTooOld: {
    at: PROVEN,
    means: "The node has been silent for longer than `freshnessSeconds`.",
    toDo: "Look at the node and at the network between; it is asked again and again, and proven when it answers.",
  },
  Restarted: {
    at: PROVEN,
    means: "The Node has another bootID than when it was last proven.",
    toDo: "Wait: it is asked at once. If it stays so, its agent does not answer since.",
  },
  NoClass: {
    at: PROVEN,
    means: "No NodeClass selects the Node any more.",
    toDo: "Give it the label of its class, or delete its NodeProof if nothing is declared of it.",
  },
  SeveralClasses: {
    at: PROVEN,
    means: "More than one NodeClass selects the Node; the message names them.",
    toDo: "Change a selector or a label, so that one is left.",
  },
  ClassNotReady: {
    at: PROVEN,
    means: "The node's class cannot be used; the message says why.",
    toDo: "Mend the NodeClass: its condition `Ready` says the same.",
  },
  NodeGone: {
    at: PROVEN,
    means: "There is no Node of this name any more. The pin stays.",
    toDo: "If the machine is gone for good, delete the NodeProof.",
  },
  PinUnreadable: {
    at: PROVEN,
    means: "What was learnt of the node's TPM at enrolment cannot be read.",
    toDo: "Find out who wrote it. To enrol the node anew, delete its NodeProof.",
  },
  Reported: {
    at: PROVEN,
    means: "All that the node says is right, and nobody vouches for its TPM.",
    toDo: "Name its maker or its cloud in `trust` of the NodeClass.",
  },
  Unknown: { at: PROVEN, means: "Nothing is known of the node.", toDo: "See `Answers`." },
  Answered: { at: ["NodeProof Answers", "Event of a Node"], means: "The node's agent answers.", toDo: NOTHING },
  AgentSilent: {
    at: ["NodeProof Answers", "Event of a Node"],
    means: "The node's agent gave no answer, or none that can be read; the message says what came instead.",
    toDo: "Does the node run, and is port 7443 of its InternalIP reached from the operator?",
  },
  Enrolled: {
    at: ["Event of a Node"],
    means: "The node has proved itself for the first time: its TPM and firmware are pinned.",
    toDo: "Nothing, if you expected a new machine under this name. Else find out which machine it is.",
  },
  NotProvenYet: {
    at: QUARANTINED,
    means: "Tainted: the Node has come, and was not proven since.",
    toDo: "Nothing, if it is proven soon; else see its condition `Proven`.",
  },
  Mismatch: {
    at: [...QUARANTINED, "NodeProof Proven"],
    means:
      "Tainted: the node has proved to be something else. As the reason of `Proven`: it has, and no difference says how.",
    toDo: "Its condition `Proven` has the first difference: see the codes below.",
  },
  MustLeave: {
    at: QUARANTINED,
    means: "The node has been something else for longer than `evictAfterSeconds`: its pods have to leave.",
    toDo: "The same as for `Mismatch`.",
  },
  NothingKnown: {
    at: QUARANTINED,
    means: "Tainted, as `alsoUnknown` asks for: nothing is known of the node any more. Its pods stay.",
    toDo: "See the reason of its condition `Proven`.",
  },
  Admitted: { at: QUARANTINED, means: "The node takes work.", toDo: NOTHING },
  WarnOnly: {
    at: [...QUARANTINED, "NodeClass Quarantine"],
    means: "Nodes would be tainted if the quarantine were enforced.",
    toDo: "Set `quarantine.mode` to `enforce` when those are the ones that you mean.",
  },
  LimitReached: {
    at: [...QUARANTINED, "NodeClass Quarantine", "Event of a NodeClass"],
    means:
      "More nodes would be tainted than may lose work at once. Nothing further is tainted, and no pod has to leave.",
    toDo: "Is what the NodeClass declares what its nodes are to be? If it is, look at the nodes; `maxPercent` can be raised.",
  },
  Enforced: {
    at: ["NodeClass Quarantine", "Event of a NodeClass"],
    means: "Nodes that are not proven are tainted. As an Event: what kept that is over.",
    toDo: NOTHING,
  },
  NotAllowed: {
    at: ["NodeClass Quarantine", "Rollout Progressing", "Event of a NodeClass"],
    means: "The API server does not let the operator do what is asked for.",
    toDo: "Apply deploy/operator/quarantine-rights.yaml or rollout-rights.yaml, which the message names.",
  },
  Read: { at: ["NodeClass Ready"], means: "Nodes are held against the class.", toDo: NOTHING },
  NotUsable: {
    at: ["NodeClass Ready", "Rollout Progressing"],
    means:
      "Nodes cannot be held against the class, or the Rollout cannot be carried out as it is; the message says why.",
    toDo: "Change what the message names. Nothing is lost meanwhile.",
  },
  StatusUnreadable: {
    at: ["Rollout Progressing"],
    means: "The Rollout's status is not as the operator writes it, so nothing is done by it.",
    toDo: "Put back what was there; or delete the Rollout, and look after the nodes that it had begun.",
  },
  Waits: {
    at: ["Rollout Progressing"],
    means: "Another Rollout of the class goes first; the message names it.",
    toDo: "Wait, or pause or abort the other one.",
  },
  Pending: { at: PHASE, means: "Nothing was begun yet.", toDo: "`status.message` says what keeps it." },
  Rolling: { at: PHASE, means: "Nodes are on their way.", toDo: NOTHING },
  Waiting: {
    at: PHASE,
    means: "Something is left to do, and something keeps it.",
    toDo: "`status.message`, and the message of each node, say what.",
  },
  Halted: {
    at: PHASE,
    means: "The Rollout has stopped by itself.",
    toDo: "`status.halt` names the node and the reason. Raise `attempt` when that is mended, or delete the Rollout.",
  },
  Stopped: {
    at: ["Rollout Halted"],
    means: "The Rollout has stopped by itself; the message says why.",
    toDo: "The same as for `Halted`.",
  },
  Aborted: {
    at: PHASE,
    means: "Somebody has ended the Rollout, and its nodes have come home.",
    toDo: "Nothing. What nodes have got stays right for them while the Rollout is there; make another one to go on or back.",
  },
  Done: {
    at: PHASE,
    means: "All nodes that take part are proven at the release. As an Event with a node's name: that one is.",
    toDo: "Write the release into the NodeClass.",
  },
  BeforeReboot: {
    at: ROLLED,
    means:
      "Programs of others that `rollout.beforeReboot` of the NodeClass names have to agree; nothing was taken from the node.",
    toDo: "The node's message names the annotations that are missing. Does the DaemonSet select the label, and run there?",
  },
  AfterReboot: {
    at: ROLLED,
    means:
      "The node is proven and Ready, and programs of others that `rollout.afterReboot` of the NodeClass names have to agree.",
    toDo: "The same as for `BeforeReboot`.",
  },
  Draining: { at: ROLLED, means: "Pods leave the node.", toDo: NOTHING },
  Rebooting: { at: ROLLED, means: "The node was drained, and is told to restart.", toDo: NOTHING },
  FellBack: {
    at: ROLLED,
    means: "The node went back to its former release by itself, and is proven there.",
    toDo: "`ashlar agent status` on the node says which health check failed.",
  },
  Blocked: {
    at: ROLLED,
    means:
      "The node could not be drained, or the check before its restart has not ended. It takes pods again, and is tried later.",
    toDo: "The message names the pod and the PodDisruptionBudget, or the annotation.",
  },
  Held: {
    at: ROLLED,
    means:
      "The node was told to restart, and is not proven or not Ready since, or its check after the restart has not ended. It stays cordoned until all of that is well.",
    toDo: "Look at its console, and at its NodeProof.",
  },
  Failed: {
    at: ROLLED,
    means: "The node was not restarted, and will not be in this attempt; the message says why.",
    toDo: "Mend that, and raise `attempt`.",
  },
};

type InWords<Code extends string> = Code extends `${infer First}-${infer Rest}`
  ? `${Capitalize<First>}${InWords<Rest>}`
  : Capitalize<Code>;

/** Every reason that this operator gives. */
export type Reason = OwnReason | InWords<DifferenceCode>;

/** A code of ours as a reason of Kubernetes: `class-config` is `ClassConfig`. */
export function reasonOf<Code extends DifferenceCode | Level>(code: Code): InWords<Code> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type says what the expression does; a test compares them
  return code.replaceAll(/(?:^|-)([a-z0-9])/gu, (_, letter: string) => letter.toUpperCase()) as InWords<Code>;
}
