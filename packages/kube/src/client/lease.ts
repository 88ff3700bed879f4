import { setTimeout as sleep } from "node:timers/promises";
import { AshlarError, membersOf } from "@ashlar/base";
import type { ApiClient } from "./api-client.ts";
import { textOf } from "./list-all.ts";
import { WatchedList } from "./watched-list.ts";

/** Which Lease (coordination.k8s.io/v1), and who wants it. */
export type LeaseClaim = { readonly namespace: string; readonly name: string; readonly holder: string };

/** Whoever has not renewed for so long is taken to be gone, by the clock of who waits. */
const DURATION_SECONDS = 15;
const RENEW_MS = 5000;
/** Before others may take it, however slow the answer was. */
const GIVE_UP_MS = 10_000;
const RETRY_MS = 1000;

type Lease = { readonly holder: string; readonly durationMs: number; readonly version: string };

/**
 * Waits until this process holds the Lease, and does the work then. Its signal is aborted when the Lease cannot be
 * renewed in time: what the work does after that, another process may be doing, too.
 *
 * @returns false when the Lease was lost
 */
export async function whileHolding(
  client: ApiClient,
  claim: LeaseClaim,
  work: (signal: AbortSignal) => Promise<void>,
  { signal, onWait }: { readonly signal: AbortSignal; readonly onWait: (holder: string) => void },
): Promise<boolean> {
  const lease = new HeldLease(client, claim);
  await lease.acquire(signal, onWait);
  const ending = new AbortController();
  const held = AbortSignal.any([signal, ending.signal]);
  let isLost = false;
  const renew = async (): Promise<void> => {
    try {
      isLost = !(await lease.renew(held));
    } finally {
      ending.abort();
    }
  };
  const renewing = renew();
  try {
    await work(held);
  } catch (error) {
    if (!held.aborted) throw error;
  } finally {
    ending.abort();
    await renewing;
    await lease.release();
  }
  return !isLost;
}

class HeldLease {
  readonly #client: ApiClient;
  readonly #claim: LeaseClaim;
  #version = "";
  #isHeld = false;

  constructor(client: ApiClient, claim: LeaseClaim) {
    this.#client = client;
    this.#claim = claim;
  }

  async acquire(signal: AbortSignal, onWait: (holder: string) => void): Promise<void> {
    const { namespace, name } = this.#claim;
    const watching = {
      path: leasesOf(namespace),
      fieldSelector: `metadata.name=${name}`,
      what: this.#what,
      read: readLease,
    };
    await using list = await WatchedList.open(this.#client, watching, signal);
    let seen: { readonly version: string; readonly atMs: number } | undefined;
    for (;;) {
      const [lease] = list.items;
      if (lease !== undefined && lease.version !== seen?.version) {
        if (seen === undefined && lease.holder !== "") onWait(lease.holder);
        seen = { version: lease.version, atMs: performance.now() };
      }
      const waitMs =
        lease === undefined || lease.holder === ""
          ? 0
          : lease.durationMs - (performance.now() - (seen?.atMs ?? performance.now()));
      if (waitMs <= 0 && (await this.#take(lease, signal))) return;
      if (waitMs <= 0) await list.refresh();
      else await list.change(waitMs);
      if (signal.aborted) throw new AshlarError("interrupted", "interrupted");
    }
  }

  /** Until the signal is aborted: true. Or until it cannot be renewed: false. */
  async renew(signal: AbortSignal): Promise<boolean> {
    let renewedMs = performance.now();
    while (await pause(RENEW_MS, signal)) {
      const giveUpMs = renewedMs + GIVE_UP_MS;
      const triedMs = await this.#renewUntil(giveUpMs, signal);
      if (triedMs === undefined) return signal.aborted;
      renewedMs = triedMs;
    }
    return true;
  }

  /** @returns when it was asked for what was then granted; undefined when it was not */
  async #renewUntil(giveUpMs: number, signal: AbortSignal): Promise<number | undefined> {
    do {
      const triedMs = performance.now();
      const leftMs = Math.ceil(giveUpMs - triedMs);
      if (leftMs <= 0) return undefined;
      try {
        await this.#write(AbortSignal.any([signal, AbortSignal.timeout(leftMs)]), this.#claim.holder);
        return triedMs;
      } catch (error) {
        if (!(error instanceof AshlarError)) throw error;
        this.#isHeld = error.code !== "conflict";
        if (!this.#isHeld) return undefined;
      }
    } while (await pause(RETRY_MS, signal));
    return undefined;
  }

  /** So that the next one need not wait. */
  async release(): Promise<void> {
    if (!this.#isHeld) return;
    try {
      await this.#write(AbortSignal.timeout(RENEW_MS), "");
    } catch {
      // It ends by itself.
    }
  }

  /** @returns false when somebody else was faster */
  async #take(lease: Lease | undefined, signal: AbortSignal): Promise<boolean> {
    const { namespace, name, holder } = this.#claim;
    try {
      if (lease === undefined) {
        const metadata = { namespace, name };
        const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec: specOf(holder, true) };
        const path = leasesOf(namespace);
        const made = await this.#client.json({ method: "POST", path, body, what: this.#what }, signal);
        this.#version = readLease(made).version;
      } else {
        this.#version = lease.version;
        await this.#write(signal, holder, true);
      }
      this.#isHeld = true;
      return true;
    } catch (error) {
      if (error instanceof AshlarError && error.code === "conflict") return false;
      throw error;
    }
  }

  async #write(signal: AbortSignal, holder: string, isNew: boolean = false): Promise<void> {
    const { namespace, name } = this.#claim;
    const answer = await this.#client.json(
      {
        method: "PATCH",
        path: `${leasesOf(namespace)}/${encodeURIComponent(name)}`,
        contentType: "application/merge-patch+json",
        body: { metadata: { resourceVersion: this.#version }, spec: specOf(holder, isNew) },
        what: this.#what,
      },
      signal,
    );
    this.#version = readLease(answer).version;
  }

  get #what(): string {
    return `the Lease ${this.#claim.namespace}/${this.#claim.name}`;
  }
}

/** @returns whether to go on */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

function leasesOf(namespace: string): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
}

function specOf(holder: string, isNew: boolean): object {
  // MicroTime (meta/v1) has six digits.
  const now = `${new Date().toISOString().slice(0, -1)}000Z`;
  return {
    holderIdentity: holder,
    leaseDurationSeconds: DURATION_SECONDS,
    renewTime: now,
    ...(isNew ? { acquireTime: now } : {}),
  };
}

function readLease(object: unknown): Lease {
  const { metadata, spec } = membersOf(object);
  const { holderIdentity, leaseDurationSeconds } = membersOf(spec);
  return {
    holder: textOf(holderIdentity),
    durationMs: (typeof leaseDurationSeconds === "number" ? leaseDurationSeconds : DURATION_SECONDS) * 1000,
    version: textOf(membersOf(metadata)["resourceVersion"]),
  };
}
