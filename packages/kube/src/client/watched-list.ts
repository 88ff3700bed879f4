import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError, membersOf } from "@ashlar/base";
import type { ApiClient } from "./api-client.ts";
import { listAll, textOf } from "./list-all.ts";

/** What is listed and then watched ("Kubernetes API Concepts", efficient detection of changes). */
export type Watching<Item> = {
  /** For example `/api/v1/pods`. */
  readonly path: string;
  /** Undefined: all. */
  readonly fieldSelector?: string;
  readonly what: string;
  /** An object, as a value of ours. */
  readonly read: (object: unknown) => Item;
  /** What is seen gets old: the API server does not answer. Told once, until it has answered again. */
  readonly onAway?: (error: AshlarError) => void;
};

/** Each watch ends on its own after this time, so that one which has gone dead is noticed. */
const WATCH_SECONDS = 240;
const QUIET_MS = (WATCH_SECONDS + 30) * 1000;
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 15_000;
const GONE = 410;

/** The objects of a list as they are now, as far as the API server can be heard. */
export class WatchedList<Item> implements AsyncDisposable {
  readonly #client: ApiClient;
  readonly #watching: Watching<Item>;
  readonly #ending: AbortController = new AbortController();
  readonly #signal: AbortSignal;
  readonly #items: Map<string, Item> = new Map();
  #version = "";
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();
  #running: Promise<void> = Promise.resolve();
  #failure: unknown;

  private constructor(client: ApiClient, watching: Watching<Item>, signal: AbortSignal) {
    this.#client = client;
    this.#watching = watching;
    this.#signal = AbortSignal.any([signal, this.#ending.signal]);
  }

  /** Lists once; then the list follows what happens until it is disposed of. */
  static async open<Item>(
    client: ApiClient,
    watching: Watching<Item>,
    signal: AbortSignal,
  ): Promise<WatchedList<Item>> {
    const list = new WatchedList(client, watching, signal);
    await list.refresh();
    list.#running = list.#follow();
    return list;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  get items(): readonly Item[] {
    return [...this.#items.values()];
  }

  /** Resolves when something has changed since this was called, or after `withinMs`. */
  async change(withinMs: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const over = new AbortController();
    const signal = AbortSignal.any([this.#signal, over.signal]);
    await Promise.race([this.#changed.promise, sleep(withinMs, undefined, { signal }).catch(() => undefined)]);
    over.abort();
  }

  /** Asks for the whole list: what has been missed is then seen. */
  async refresh(): Promise<void> {
    const { path, fieldSelector, what, read } = this.#watching;
    const { items, resourceVersion } = await listAll(
      this.#client,
      { path, query: fieldSelector === undefined ? {} : { fieldSelector }, what },
      this.#signal,
    );
    const found = items.map((item): [string, Item] => [keyOf(item, what), read(item)]);
    this.#items.clear();
    for (const [key, item] of found) this.#items.set(key, item);
    this.#version = resourceVersion;
    this.#tell();
  }

  async #follow(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    let isCurrent = true;
    let isAway = false;
    while (!this.#signal.aborted) {
      try {
        if (!isCurrent) await this.refresh();
        isAway = false;
        isCurrent = await this.#watch();
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        if (this.#signal.aborted) return;
        // The API server may be away for minutes, as when it restarts; anything else does not end by itself.
        if (!(error instanceof AshlarError) || error.code !== "unavailable") {
          this.#failure = error;
          this.#tell();
          return;
        }
        isCurrent = false;
        if (!isAway) this.#watching.onAway?.(error);
        isAway = true;
        await sleep(pauseMs, undefined, { signal: this.#signal }).catch(() => undefined);
        pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
      }
    }
  }

  /** @returns whether the next watch can go on where this one has ended */
  async #watch(): Promise<boolean> {
    const { path, fieldSelector, what, read } = this.#watching;
    const query = {
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      watch: "1",
      allowWatchBookmarks: "true",
      resourceVersion: this.#version,
      timeoutSeconds: String(WATCH_SECONDS),
    };
    for await (const line of this.#client.lines({ method: "GET", path, query, what }, QUIET_MS, this.#signal)) {
      const { type, object } = membersOf(line);
      if (type === "ERROR") {
        if (membersOf(object)["code"] === GONE) return false;
        throw new AshlarError(
          "unavailable",
          `${what}: ${textOf(membersOf(object)["message"]) || "the watch has failed"}`,
        );
      }
      this.#version = textOf(membersOf(membersOf(object)["metadata"])["resourceVersion"]);
      if (type === "BOOKMARK") continue;
      if (type === "DELETED") this.#items.delete(keyOf(object, what));
      else this.#items.set(keyOf(object, what), read(object));
      this.#tell();
    }
    return true;
  }

  #tell(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}

/** A name may be given anew; a UID is not. */
function keyOf(object: unknown, what: string): string {
  const { uid } = membersOf(membersOf(object)["metadata"]);
  if (typeof uid === "string" && uid !== "") return uid;
  throw new AshlarError("malformed", `${what}: expected an object with a UID, found something else`);
}
