import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { EkRoots } from "@ashlar/identity";
import { pemOf } from "../ek-roots-files.ts";
import type { ArchiveIndex } from "./archive.ts";
import type { JudgedNode, JudgeStoredOptions, StoredJudging } from "./judge-stored.ts";

/** What a thread is told: nothing in it refers to anything outside. */
export type ThreadJob = {
  readonly place: string | ArchiveIndex;
  readonly names: readonly string[];
  readonly nowMs: number;
  readonly options: Omit<JudgeStoredOptions, "ekRoots" | "cloudRoots" | "onAnswer">;
  readonly ekRoots: ThreadRoots | undefined;
  readonly cloudRoots: ThreadRoots | undefined;
  /** One number: the first node that nobody has taken. */
  readonly next: SharedArrayBuffer;
};

/** Certificates are read again by each thread. */
export type ThreadRoots = { readonly pem: string; readonly acceptExpired: boolean };

/** The nodes from `start` on. */
export type JudgedPart = { readonly start: number; readonly nodes: readonly JudgedNode[] };

/** With fewer, a thread is not worth the time of its start and its 100 MB. */
const NODES_PER_THREAD = 2000;

/** What is read of one node is gone before the next one's turn. */
const LIMITS = { maxYoungGenerationSizeMb: 16 };

/**
 * Threads that judge nodes beside the one that starts them. All take the next few from one counter, so that none waits for a slow
 * one.
 */
export class JudgingThreads implements AsyncDisposable {
  readonly #next: Int32Array;
  readonly #parts: JudgedPart[] = [];
  readonly #threads: readonly { readonly worker: Worker; readonly done: Promise<void> }[];

  private constructor(job: ThreadJob, count: number) {
    this.#next = new Int32Array(job.next);
    this.#threads = Array.from({ length: count }, () => {
      const worker = new Worker(new URL("./judge-thread.ts", import.meta.url), {
        workerData: job,
        resourceLimits: LIMITS,
      });
      worker.on("message", (part: JudgedPart) => void this.#parts.push(part));
      return { worker, done: ended(worker) };
    });
    // What has failed is told by `results`.
    for (const { done } of this.#threads) done.catch(() => undefined);
  }

  /** @param threads in all: default by the number of nodes */
  static start(names: readonly string[], judging: Omit<StoredJudging, "readings">, threads?: number): JudgingThreads {
    const { onAnswer: _, ekRoots, cloudRoots, ...options } = judging.options;
    const count = threads ?? Math.min(availableParallelism(), Math.ceil(names.length / NODES_PER_THREAD));
    const next = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const roots = { ekRoots: rootsOf(ekRoots), cloudRoots: rootsOf(cloudRoots) };
    const { nowMs } = judging;
    const place = typeof judging.place === "string" ? judging.place : judging.place.index;
    return new JudgingThreads({ place, nowMs, names, options, ...roots, next }, Math.max(0, count - 1));
  }

  /** Takes the next nodes. @returns the first of them, or what is beyond all names */
  next(count: number): number {
    return Atomics.add(this.#next, 0, count);
  }

  /** What the threads have found, once all have ended. @throws what has ended one of them */
  async results(): Promise<readonly JudgedPart[]> {
    await Promise.all(this.#threads.map(async ({ done }) => await done));
    return this.#parts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(async ({ worker }) => await worker.terminate()));
  }
}

function rootsOf(roots: EkRoots | undefined): ThreadRoots | undefined {
  return roots && { pem: pemOf(roots.certificates), acceptExpired: roots.acceptExpired };
}

async function ended(worker: Worker): Promise<void> {
  const [status] = await once(worker, "exit");
  if (status !== 0) throw new Error(`a judging thread ended early with status ${status}`);
}
