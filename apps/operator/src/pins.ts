import type { NodeProofObject } from "@ashlar/kube";
import { pinSchema, type Pin } from "@ashlar/verifier";
import type { NodeEntry } from "./node-entry.ts";

type Read = { readonly version: string; readonly pin: Pin | "unreadable" | undefined };

/** The pins of all nodes, as they stand in NodeProofs and as they will stand there soon. */
export class Pins {
  /** Each version of a NodeProof is read once. */
  readonly #read: Map<string, Read> = new Map();
  #all: Map<string, Pin> = new Map();

  /** By node: a machine has one name. */
  get all(): ReadonlyMap<string, Pin> {
    return this.#all;
  }

  /** Whether there is a pin that says nothing: none to go on with, and no reason to enrol silently. */
  isUnreadable(name: string): boolean {
    return this.#read.get(name)?.pin === "unreadable";
  }

  /** From now on no other node can be this machine. */
  add(name: string, pin: Pin): void {
    this.#all.set(name, pin);
  }

  see(proofs: ReadonlyMap<string, NodeProofObject>, entries: ReadonlyMap<string, NodeEntry>): void {
    const all = new Map<string, Pin>();
    for (const [name, { resourceVersion: version, status }] of proofs) {
      const before = this.#read.get(name);
      const read = before?.version === version ? before : { version, pin: readPin(status) };
      this.#read.set(name, read);
      if (read.pin !== undefined && read.pin !== "unreadable") all.set(name, read.pin);
    }
    for (const name of this.#read.keys()) if (!proofs.has(name)) this.#read.delete(name);
    for (const [name, { newPin }] of entries) if (newPin !== undefined && !all.has(name)) all.set(name, newPin);
    this.#all = all;
  }
}

function readPin(status: NodeProofObject["status"]): Read["pin"] {
  if (status === undefined) return "unreadable";
  if (status.pin === undefined) return undefined;
  const found = pinSchema.safeParse(status.pin);
  return found.success ? found.data : "unreadable";
}
