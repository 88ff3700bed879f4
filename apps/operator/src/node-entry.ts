import { isDeepStrictEqual } from "node:util";
import type { MarkedNode, NodeMarks, NodeProofObject, NodeProofStatus } from "@ashlar/kube";
import type { Pin } from "@ashlar/verifier";
import type { Asked } from "./decide/facts.ts";

/** What this process knows of a node since it leads. All else is in the API server. */
export class NodeEntry {
  asked: Asked | undefined;
  /** What the node was held against then. */
  planKey = "";
  /** What it is to be held against now. */
  wantedKey = "";
  /** What stands in its NodeProof, or will soon: what follows from all that is known. */
  status: NodeProofStatus | undefined;
  silences = 0;
  /** When it was last proven, by the clock that never jumps. */
  provenAtMs: number | undefined;
  /** Of a node that was enrolled, until its NodeProof shows it. */
  newPin: Pin | undefined;
  /** While it is asked, or something is written for it. */
  isBusy = false;
  /** Not before this time is anything written for it again. */
  writeAfterMs = 0;
  hadProof = false;
  /** Not before this time are its taints written again. */
  taintAfterMs = 0;
  #uid: string | undefined;
  #marked: { readonly uid: string; readonly marks: NodeMarks; readonly untilMs: number } | undefined;
  #written: { readonly object: NodeProofObject; readonly over: string | undefined } | undefined;

  /** What was written is newer than what is watched, until that changes. */
  proofAsWritten(watched: NodeProofObject | undefined): NodeProofObject | undefined {
    if (this.#written !== undefined && this.#written.over === watched?.resourceVersion) return this.#written.object;
    this.#written = undefined;
    return watched;
  }

  wrote(object: NodeProofObject, over: string | undefined): void {
    this.#written = { object, over };
  }

  /** What stands on the Node was written just now: whoever writes over it is written over at most once in a while. */
  isMarked({ uid }: MarkedNode, marks: NodeMarks, monotonicMs: number): boolean {
    const own = this.#marked;
    return own?.uid === uid && own.untilMs > monotonicMs && isDeepStrictEqual(own.marks, marks);
  }

  mark({ uid }: MarkedNode, marks: NodeMarks, untilMs: number): void {
    this.#marked = { uid, marks, untilMs };
  }

  /** What was found is about one Node: another one of its name may come, and then that one is asked. */
  is(uid: string | undefined): void {
    if (uid === this.#uid) return;
    this.#uid = uid;
    this.asked = undefined;
    this.planKey = "";
  }

  get uid(): string | undefined {
    return this.#uid;
  }

  /** Its NodeProof was deleted: it is enrolled anew. */
  forget(): void {
    this.asked = undefined;
    this.provenAtMs = undefined;
    this.newPin = undefined;
    this.silences = 0;
    this.hadProof = false;
    this.#written = undefined;
  }
}
