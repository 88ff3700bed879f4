import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError } from "@ashlar/base";
import { throwIfInterrupted } from "@ashlar/host";
import { declaredInConfigs } from "@ashlar/declaration";
import type { ExtensionsStatus, MergedExtension } from "@ashlar/protocol";
import { AgentClient } from "@ashlar/verifier";
import {
  allowDebugging,
  endDebugging,
  readExtensionRecord,
  rightOfNode,
  type DeclaredNode,
} from "@ashlar/verifier/declared";
import {
  challengeNode,
  type Challenged,
  firstOf,
  type Right,
  type Verifier,
  wrongNextBootOf,
} from "./challenge-node.ts";
import { ANSWER_MS, firstAnswer } from "./first-answer.ts";
import { DEBUG_RESULT_SCHEMA, type DebugResult } from "../turn/debug-result.ts";

export type DebugContext = {
  readonly verifier: Verifier;
  readonly right: (node: DeclaredNode) => Promise<Right>;
  /** PEM of the operator's private key and certificate. */
  readonly operatorPem: string;
  readonly extensionRecordPath: string;
  readonly signal: AbortSignal;
  /** How long the node may take to do what it is told. */
  readonly timeoutMs: number;
  readonly onProgress: (line: string) => void;
  readonly pollMs?: number;
};

/**
 * Has a node merge an undeclared extension for a while. The exception is on disk before the node is told, so that no
 * proof in between takes it for something else.
 *
 * @throws AshlarError `usage` when the node declares the extension, `not-found` when it is not published, `failed` when
 * the node did not merge it, and whatever the node refuses it with
 */
export async function beginDebugSession(
  node: DeclaredNode,
  extension: string,
  seconds: number,
  context: DebugContext,
): Promise<DebugResult> {
  const session = new DebugSession(node, extension, context);
  await session.check();
  await session.allow(seconds);
  const merged = await session.merge(seconds);
  // Fetching takes its time, and the node counts from when it was told or later.
  const until = await session.allow(seconds);
  return session.result(merged.version, until);
}

/** Has a node remove it before its time. */
export async function endDebugSession(
  node: DeclaredNode,
  extension: string,
  context: DebugContext,
): Promise<DebugResult> {
  const session = new DebugSession(node, extension, context);
  await session.remove();
  await endDebugging(context.extensionRecordPath, node.name, extension);
  return session.result(null, null);
}

class DebugSession {
  readonly #node: DeclaredNode;
  readonly #extension: string;
  readonly #context: DebugContext;

  constructor(node: DeclaredNode, extension: string, context: DebugContext) {
    this.#node = node;
    this.#extension = extension;
    this.#context = context;
  }

  async check(): Promise<void> {
    const { name, classConfig, nodeConfig } = this.#node;
    if (declaredInConfigs(classConfig, nodeConfig).some((each) => each.name === this.#extension)) {
      const message = `expected an extension that ${name} does not declare, found ${this.#extension}`;
      throw new AshlarError("usage", message, { hint: "it is merged there anyway" });
    }
    const { extensions } = await this.#context.right(this.#node);
    if (extensions.known.some((each) => each.name === this.#extension && each.withdrawn === undefined)) return;
    throw new AshlarError("not-found", `expected ${this.#extension} to be published, found no version of it`, {
      hint: "publish it with `ashlar extension publish`, or give its manifest with --extension",
    });
  }

  /** From now on it is a named exception. Gives its end. */
  async allow(seconds: number): Promise<string> {
    const until = new Date(Date.now() + seconds * 1000).toISOString();
    const exception = { name: this.#extension, rootHash: null, until };
    await allowDebugging(this.#context.extensionRecordPath, this.#node.name, exception);
    return until;
  }

  async merge(seconds: number): Promise<MergedExtension> {
    let earlier: MergedExtension | undefined;
    try {
      await this.#order(seconds);
      this.#context.onProgress(`${this.#node.name}: telling it to merge ${this.#extension}`);
      const status = await this.#waitUntilIdle();
      const merged = this.#mergedOf(status);
      earlier = merged;
      if (merged !== undefined && status.lastError === null) return merged;
      throw new AshlarError(
        "failed",
        `${this.#node.name} has not merged ${this.#extension}: ${reasonOf(status, this.#extension)}`,
      );
    } catch (error) {
      // Who does not answer may have merged it.
      if (error instanceof AshlarError && error.code !== "unavailable" && error.code !== "interrupted") {
        await this.#disallow(earlier);
      }
      throw error;
    }
  }

  /** A session that was to be prolonged goes on as it was. */
  async #disallow(earlier: MergedExtension | undefined): Promise<void> {
    const { extensionRecordPath: path } = this.#context;
    const until = earlier?.until ?? null;
    if (until === null) await endDebugging(path, this.#node.name, this.#extension);
    else await allowDebugging(path, this.#node.name, { name: this.#extension, rootHash: null, until });
  }

  async remove(): Promise<void> {
    if (this.#mergedOf(await this.#status()) === undefined) return;
    await this.#order(0);
    this.#context.onProgress(`${this.#node.name}: telling it to remove ${this.#extension}`);
    const status = await this.#waitUntilIdle();
    if (this.#mergedOf(status) === undefined) return;
    const message = `${this.#node.name} has not removed ${this.#extension}: ${reasonOf(status, this.#extension)}`;
    throw new AshlarError("failed", message, { hint: "it goes with a restart" });
  }

  async result(version: string | null, until: string | null): Promise<DebugResult> {
    const { level, differences, nextBoot } = (await this.#challenge()).verdict;
    const about = { node: this.#node.name, extension: this.#extension, version, until };
    return { schema: DEBUG_RESULT_SCHEMA, ...about, level, differences, nextBoot };
  }

  async #challenge(): Promise<Challenged> {
    const { verifier, signal, extensionRecordPath } = this.#context;
    const right = await this.#context.right(this.#node);
    const own = rightOfNode(await readExtensionRecord(extensionRecordPath), this.#node.name);
    const extensions = { ...right.extensions, ...own };
    return await challengeNode(this.#node, { ...right, extensions }, verifier, signal);
  }

  /** Sessions are for nodes with problems, too; but who takes orders has to be the node. */
  async #order(seconds: number): Promise<void> {
    const { name, url } = this.#node;
    const { operatorPem, signal, onProgress } = this.#context;
    const { verdict, peer } = await this.#challenge();
    const wrong = firstOf(verdict.differences) ?? wrongNextBootOf(verdict);
    const problem = wrong ?? verdict.level;
    if (peer === undefined) {
      throw new AshlarError("untrusted", `expected evidence that it is ${name} who answers, found: ${problem}`);
    }
    if (verdict.level !== "proven" || wrong !== undefined) onProgress(`${name} is not proven as it is: ${problem}`);
    using client = new AgentClient(url, { signal, operatorPem, peer });
    await client.debug({ extension: this.#extension, seconds });
  }

  async #waitUntilIdle(): Promise<ExtensionsStatus> {
    const { signal, timeoutMs, pollMs = POLL_MS } = this.#context;
    const deadlineMs = performance.now() + timeoutMs;
    while (true) {
      const status = await this.#status();
      if (status.phase === "idle") return status;
      if (performance.now() > deadlineMs) {
        const message = `expected ${this.#node.name} to be ready within ${timeoutMs / 1000} s, found it ${status.phase}`;
        throw new AshlarError("unavailable", message);
      }
      await sleep(pollMs, undefined, { signal }).catch(() => undefined);
      throwIfInterrupted(signal);
    }
  }

  /** A node whose agent is only being started, or which restarts units, may keep one question waiting. */
  async #status(): Promise<ExtensionsStatus> {
    const { signal, pollMs = POLL_MS } = this.#context;
    const ask = async (each: AbortSignal): Promise<ExtensionsStatus> => {
      using client = new AgentClient(this.#node.url, { signal: each });
      return await client.extensionsStatus();
    };
    const status = await firstAnswer(ask, { everyMs: 3 * pollMs, eachMs: ANSWER_MS, allMs: 2 * ANSWER_MS }, signal);
    throwIfInterrupted(signal);
    if (status !== undefined) return status;
    throw new AshlarError("unavailable", `expected an answer from ${this.#node.name}, found none`);
  }

  #mergedOf({ merged }: ExtensionsStatus): MergedExtension | undefined {
    return merged.find(({ name }) => name === this.#extension);
  }
}

/** The agent of a node takes two questions a second, from everybody together. */
const POLL_MS = 2000;

/** Why the node has not done it, in its own words. */
function reasonOf({ setAside, lastError }: ExtensionsStatus, extension: string): string {
  const aside = setAside.find(({ name }) => name === extension);
  return aside?.reason ?? lastError?.message ?? "it does not say why";
}
