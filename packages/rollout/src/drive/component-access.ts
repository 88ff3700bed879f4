import type { NamedVerdict, KnownExtension } from "@ashlar/identity";
import type { ComponentRequest, ExtensionsStatus, MeasuredExtension } from "@ashlar/protocol";
import { AgentClient, type ProvenPeer } from "@ashlar/verifier";
import type { DeclaredNode } from "@ashlar/verifier/declared";
import { challengeNode, problemOf, type Right, type Verifier } from "./challenge-node.ts";
import { mergedOf, type ComponentGoal } from "../turn/component-turn.ts";

/** One node as a component's update sees it. All throw AshlarError `unavailable` when it does not answer. */
export type ComponentAccess = {
  readonly name: string;
  readonly status: (signal: AbortSignal) => Promise<ExtensionsStatus>;
  /** What is wrong with the claim that it has merged what it says; undefined when that is proven. */
  readonly prove: (status: ExtensionsStatus, signal: AbortSignal) => Promise<string | undefined>;
  /** Tells it to take the component to the goal's version. Also throws when the node refuses. */
  readonly order: (goal: ComponentGoal, signal: AbortSignal) => Promise<ExtensionsStatus>;
};

export type ComponentContext = Verifier & {
  readonly goal: ComponentGoal;
  /** What is right for the node but for the turn; asked anew each time. */
  readonly right: () => Promise<Right>;
  /** PEM of the operator's private key. */
  readonly operatorPem: string;
};

/** A node behind its agent's https URL. */
export class RemoteComponent implements ComponentAccess {
  readonly #node: DeclaredNode;
  readonly #context: ComponentContext;
  /** Whom the last evidence is of. Orders go to nobody else. */
  #peer: ProvenPeer | undefined;

  constructor(node: DeclaredNode, context: ComponentContext) {
    this.#node = node;
    this.#context = context;
  }

  get name(): string {
    return this.#node.name;
  }

  async status(signal: AbortSignal): Promise<ExtensionsStatus> {
    using client = new AgentClient(this.#node.url, { signal });
    return await client.extensionsStatus();
  }

  async prove(status: ExtensionsStatus, signal: AbortSignal): Promise<string | undefined> {
    const { goal, right: rightOf } = this.#context;
    const right = await rightOf();
    const merged = mergedOf(status, goal.component);
    const isOnTarget = merged?.rootHash === goal.rootHash;
    // Before it changes any published version will do, also a withdrawn one: that is what updates are for.
    const alsoAllowed = isOnTarget ? [] : right.extensions.known.filter(({ name }) => name === goal.component);
    const extensions = { ...right.extensions, alsoAllowed: alsoAllowed.map(measuredOf) };
    const { verdict, peer } = await challengeNode(this.#node, { ...right, extensions }, this.#context, signal);
    this.#peer = peer;
    // A component does not change what boots next.
    return problemOf(verdict) ?? compareWithMeasured(verdict, goal.component, merged?.rootHash);
  }

  async order(
    { component, target, allowDowngrade, retry }: ComponentGoal,
    signal: AbortSignal,
  ): Promise<ExtensionsStatus> {
    const { operatorPem } = this.#context;
    if (this.#peer === undefined) throw new TypeError("nobody is given orders who was not proven before");
    using client = new AgentClient(this.#node.url, { signal, operatorPem, peer: this.#peer });
    const request: ComponentRequest = { component, to: target, allowDowngrade, retry };
    return await client.updateComponent(request);
  }
}

function measuredOf({ kind, name, rootHash }: KnownExtension): MeasuredExtension {
  return { kind, name, rootHash };
}

/** What a node says is only where to look. */
function compareWithMeasured(
  { extensions }: NamedVerdict,
  component: string,
  reported: string | undefined,
): string | undefined {
  const measured = extensions.find(({ name }) => name === component)?.rootHash;
  if (measured === reported) return undefined;
  return `extension ${component}: expected root hash ${reported ?? "none"}, as it says, found ${measured ?? "none"}`;
}
