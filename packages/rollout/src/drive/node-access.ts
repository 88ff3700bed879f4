import type { NamedVerdict, ExtensionKnowledge } from "@ashlar/identity";
import type { UpdateStatus } from "@ashlar/protocol";
import { AgentClient, type ProvenPeer } from "@ashlar/verifier";
import type { DeclaredNode, KnownReleases } from "@ashlar/verifier/declared";
import {
  challengeNode,
  firstOf,
  problemOf,
  wrongNextBootOf,
  type Challenged,
  type Verifier,
} from "./challenge-node.ts";
import type { NodeAccess } from "./run-turn.ts";
import type { Goal } from "../turn/turn.ts";

export type AccessContext = Omit<Verifier, "candidates"> & {
  readonly releases: KnownReleases;
  readonly extensions: ExtensionKnowledge;
  /** The version that is wanted. */
  readonly target: string;
  /** The versions that are right for the node before its turn. Undefined: every known one. */
  readonly allowed: ReadonlySet<string> | undefined;
  /** PEM of the operator's private key. */
  readonly operatorPem: string;
};

/** Asks a node for evidence, and holds it against a version. */
export type Challenge = (version: string, signal: AbortSignal) => Promise<Challenged>;

export type AgentNodeOptions = Pick<AccessContext, "target" | "allowed" | "operatorPem"> & {
  readonly challenge: Challenge;
};

/** A node behind its agent's https URL. */
export class AgentNode implements NodeAccess {
  readonly #node: { readonly name: string; readonly url: string };
  readonly #options: AgentNodeOptions;
  /** What was proven last: the version, and of whom. Orders go to nobody else. */
  #proven: { readonly version: string; readonly peer: ProvenPeer } | undefined;

  constructor(node: { readonly name: string; readonly url: string }, options: AgentNodeOptions) {
    this.#node = node;
    this.#options = options;
  }

  get name(): string {
    return this.#node.name;
  }

  async status(signal: AbortSignal): Promise<UpdateStatus> {
    using client = new AgentClient(this.#node.url, { signal });
    return await client.updateStatus();
  }

  async prove(version: string, signal: AbortSignal): Promise<string | undefined> {
    const { allowed, target } = this.#options;
    if (allowed !== undefined && !allowed.has(version) && version !== target) {
      return `release: expected ${[...allowed].join(" or ")}, found ${version}`;
    }
    const verdict = await this.#challenge(version, signal);
    // What would boot next is about to be replaced, and judged after that; but in the end all of it has to be right.
    return problemOf(verdict) ?? (version === target ? wrongNextBootOf(verdict) : undefined);
  }

  async proveNextBoot(target: string, signal: AbortSignal): Promise<string | undefined> {
    const { version } = this.#requireProven();
    const verdict = await this.#challenge(version, signal);
    const { nextBoot } = verdict;
    const problem = problemOf(verdict);
    if (problem !== undefined) return problem;
    if (nextBoot === null) return "it does not say what boots next";
    if (nextBoot.level !== "proven") return firstOf(nextBoot.differences) ?? `its next boot is ${nextBoot.level}`;
    return nextBoot.release === target ? undefined : `next boot: expected ${target}, found ${nextBoot.release}`;
  }

  async order({ order, target, allowDowngrade, retry }: Goal, signal: AbortSignal): Promise<UpdateStatus> {
    using client = this.#operator(signal);
    return await client.order(order, order === "update" ? { to: target, allowDowngrade, retry } : {});
  }

  async reboot(signal: AbortSignal): Promise<void> {
    using client = this.#operator(signal);
    await client.order("reboot");
  }

  #operator(signal: AbortSignal): AgentClient {
    const { operatorPem } = this.#options;
    const { peer } = this.#requireProven();
    return new AgentClient(this.#node.url, { signal, operatorPem, peer });
  }

  #requireProven(): { readonly version: string; readonly peer: ProvenPeer } {
    if (this.#proven === undefined) throw new TypeError("nobody is given orders who was not proven before");
    return this.#proven;
  }

  async #challenge(version: string, signal: AbortSignal): Promise<NamedVerdict> {
    const { verdict, peer } = await this.#options.challenge(version, signal);
    this.#proven = peer === undefined ? undefined : { version, peer };
    return verdict;
  }
}

/** A node that is declared in files, with its pin in a file. */
export class RemoteNode extends AgentNode {
  constructor(node: DeclaredNode, context: AccessContext) {
    const { releases, extensions, target, allowed, operatorPem } = context;
    const challenge: Challenge = async (version, signal) => {
      const release = await releases.get(version);
      return await challengeNode(node, { release, extensions }, { ...context, candidates: releases.all }, signal);
    };
    super(node, { target, allowed, operatorPem, challenge });
  }
}
