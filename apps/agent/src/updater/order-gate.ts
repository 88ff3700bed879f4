import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { AshlarError } from "@ashlar/base";
import { openSignedOrder, ORDER_NONCE_SCHEMA, type Order, type OrderNonce } from "@ashlar/protocol";
import type { Caller } from "./caller.ts";

/** What makes this node and this boot different from others. */
export type GateFacts = {
  readonly machineId: () => Promise<string>;
  readonly bootId: () => Promise<string>;
  /** Pins of the keys whose orders are taken. */
  readonly operators: () => Promise<readonly string[]>;
};

/** From the nonce to the order it is one signature: minutes are for slow machines. */
const NONCE_LIFETIME_MS = 300_000;
/** More than the agent lets through in that time. */
const MAX_NONCES = 1024;

/**
 * Takes orders from outside, each proved by its operator's signature over a nonce of ours. The nonces are in the memory of
 * this process only: what was signed for an earlier one, an earlier boot or another node is good for nothing.
 */
export class OrderGate {
  readonly #facts: GateFacts;
  readonly #now: () => number;
  /** When each nonce ends, and whether an order has used it. The oldest comes first. */
  readonly #nonces = new Map<string, { readonly endsMs: number; used: boolean }>();

  constructor(facts: GateFacts, now: () => number = () => performance.now()) {
    this.#facts = facts;
    this.#now = now;
  }

  /** Whether somebody may be about to use a nonce, which ends with this process. */
  get isAwaited(): boolean {
    this.#forgetEnded();
    return [...this.#nonces.values()].some(({ used }) => !used);
  }

  /** @throws AshlarError `limit` while too many are not used */
  async issueNonce(): Promise<OrderNonce> {
    this.#forgetEnded();
    if (this.#nonces.size >= MAX_NONCES) {
      throw new AshlarError("limit", `expected at most ${MAX_NONCES} orders in ${NONCE_LIFETIME_MS / 60_000} minutes`, {
        hint: "wait a few minutes",
      });
    }
    const bootId = await this.#facts.bootId();
    const nonce = randomBytes(32).toString("base64url");
    this.#nonces.set(nonce, { endsMs: this.#now() + NONCE_LIFETIME_MS, used: false });
    return { schema: ORDER_NONCE_SCHEMA, nonce, bootId };
  }

  /**
   * The request that `text`, which was sent to `path`, proves to be an operator's. The same text proves nothing a second
   * time.
   *
   * @throws AshlarError `malformed`, `untrusted` for what is nobody's order to this node, `conflict` for what was one
   */
  async admit(path: string, text: string): Promise<{ readonly caller: Caller; readonly request: string }> {
    const { order, operator } = openSignedOrder(text, await this.#facts.operators());
    await this.#requireMeant(order, path);
    this.#use(order.nonce);
    return { caller: { kind: "operator", key: operator }, request: order.request };
  }

  async #requireMeant({ machineId, bootId, path }: Order, asked: string): Promise<void> {
    if (path !== asked) throw new AshlarError("untrusted", `expected an order for ${asked}, found one for ${path}`);
    const [ownId, ownBoot] = await Promise.all([this.#facts.machineId(), this.#facts.bootId()]);
    if (machineId !== ownId) {
      throw new AshlarError(
        "untrusted",
        `expected an order for the node with machine ID ${ownId}, found one for ${machineId}`,
        { hint: "prove the node again: something may pass its orders on to others" },
      );
    }
    if (bootId !== ownBoot) {
      throw new AshlarError("conflict", `expected an order for boot ${ownBoot}, found one for ${bootId}`, {
        hint: "the node has restarted since: prove it, and give the order again",
      });
    }
  }

  #use(nonce: string): void {
    this.#forgetEnded();
    const known = this.#nonces.get(nonce);
    if (known?.used === false) {
      known.used = true;
      return;
    }
    const found = known === undefined ? "one that was never given out, or has ended" : "one that was used already";
    throw new AshlarError("conflict", `expected an order over a nonce of this updater, found ${found}`, {
      hint: "look with `ashlar prove` what the node does; give the order again if it has not been carried out",
    });
  }

  #forgetEnded(): void {
    const now = this.#now();
    for (const [nonce, { endsMs }] of this.#nonces) {
      if (endsMs > now) return;
      this.#nonces.delete(nonce);
    }
  }
}
