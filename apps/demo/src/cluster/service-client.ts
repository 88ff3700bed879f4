import { request } from "node:http";

/** What a client has seen in some seconds. */
export type RequestCount = {
  /** RFC 3339: when these requests began. */
  readonly at: string;
  readonly answered: number;
  /** Of those: not by the node that was asked first, in the time that it had. */
  readonly second: number;
  /** By neither. */
  readonly failed: number;
};

export type ServiceClientOptions = {
  /** Where the Service can be asked on this computer, one port for each node. */
  readonly ports: readonly number[];
  /** Ends all requests. */
  readonly signal: AbortSignal;
  readonly intervalMs?: number;
  readonly bucketMs?: number;
  /** After this the other node is asked, and then this one again, which may take longer: a loaded machine is slow. */
  readonly firstLimitMs?: number;
  readonly secondLimitMs?: number;
  /** How long a node that did not answer is not asked first again. */
  readonly restMs?: number;
};

type Bucket = { answered: number; second: number; failed: number };

/** `late`: it has neither answered nor refused in its time. */
type Answer = "answered" | "refused" | "late";

/**
 * A client outside of the cluster, with what a load balancer does: it asks the nodes in turn, the other one when one does
 * not answer, and leaves that one alone for a while. A request is lost when a node has refused it and the other one has it not either; one
 * that was only late is asked again.
 */
export class ServiceClient {
  readonly #options: Required<ServiceClientOptions>;
  readonly #buckets = new Map<number, Bucket>();
  readonly #open = new Set<Promise<void>>();
  readonly #restsUntil = new Map<number, number>();
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ServiceClientOptions) {
    const limits = { firstLimitMs: 5000, secondLimitMs: 60_000, restMs: 10_000 };
    this.#options = { intervalMs: 100, bucketMs: 10_000, ...limits, ...options };
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      const asked = this.#ask().finally(() => this.#open.delete(asked));
      this.#open.add(asked);
    }, this.#options.intervalMs);
  }

  /** Asks no more, and gives what was counted once the last request has ended. */
  async stop(): Promise<readonly RequestCount[]> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await Promise.all(this.#open);
    const counts = [...this.#buckets].map(([ms, { answered, second, failed }]) => {
      return { at: new Date(ms).toISOString(), answered, second, failed };
    });
    this.#buckets.clear();
    return counts;
  }

  async #ask(): Promise<void> {
    const { bucketMs, firstLimitMs, secondLimitMs, restMs } = this.#options;
    const bucket = this.#bucketOf(Math.floor(Date.now() / bucketMs) * bucketMs);
    const [first = 0, second = first] = this.#choose();
    const answer = await this.#send(first, firstLimitMs);
    if (answer === "answered") {
      bucket.answered += 1;
      return;
    }
    this.#restsUntil.set(first, Date.now() + restMs);
    const isAnswered = async (port: number): Promise<boolean> => (await this.#send(port, secondLimitMs)) === "answered";
    if ((await isAnswered(second)) || (answer === "late" && (await isAnswered(first)))) {
      bucket.answered += 1;
      bucket.second += 1;
    } else bucket.failed += 1;
  }

  #bucketOf(ms: number): Bucket {
    const bucket = this.#buckets.get(ms) ?? { answered: 0, second: 0, failed: 0 };
    this.#buckets.set(ms, bucket);
    return bucket;
  }

  #choose(): readonly number[] {
    const { ports } = this.#options;
    this.#turn += 1;
    const turned = ports.map((_, index) => ports[(index + this.#turn) % ports.length] ?? 0);
    const rests = (port: number): boolean => (this.#restsUntil.get(port) ?? 0) > Date.now();
    return [...turned.filter((port) => !rests(port)), ...turned.filter(rests)];
  }

  /** By a new connection each time: a client that has asked before is not told where to go by what it remembers. */
  async #send(port: number, limitMs: number): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const limit = AbortSignal.timeout(limitMs);
    const fail = (): void => resolve(limit.aborted ? "late" : "refused");
    const signal = AbortSignal.any([limit, this.#options.signal]);
    const asked = request({ host: "127.0.0.1", port, path: "/", agent: false, signal }, (response) => {
      response.resume();
      response.once("end", () => (response.statusCode === 200 && response.complete ? resolve("answered") : fail()));
      response.once("error", fail);
    });
    asked.once("error", fail);
    asked.end();
    return await promise;
  }
}

/** For example `3120 requests, 0 failed, 14 answered when they were asked again`. */
export function summarize(counts: readonly RequestCount[]): {
  readonly asked: number;
  readonly failed: number;
  readonly words: string;
} {
  const sum = (read: (count: RequestCount) => number): number => counts.reduce((all, each) => all + read(each), 0);
  const failed = sum((each) => each.failed);
  const asked = sum((each) => each.answered) + failed;
  const second = sum((each) => each.second);
  return { asked, failed, words: `${asked} requests, ${failed} failed, ${second} answered when they were asked again` };
}
