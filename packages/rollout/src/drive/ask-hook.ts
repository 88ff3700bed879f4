import { setTimeout as sleep } from "node:timers/promises";
import { throwIfInterrupted } from "@ashlar/host";
import { describeMissing, type Hook } from "../cluster/hooks.ts";
import type { MemberAccess } from "./drain-member.ts";
import { unlessUnavailable } from "./run-member-turn.ts";

export type AskOptions = {
  /** Told what it waits for, when that changes. */
  readonly say: (message: string) => void;
  readonly pollMs: number;
  readonly signal: AbortSignal;
};

/** Begins a check, or goes on with it, until all agree. Its time limit is the rollout's, which ends this by the signal. */
export async function untilAgreed(member: MemberAccess, hook: Hook, options: AskOptions): Promise<void> {
  const { say, pollMs, signal } = options;
  let said = "";
  while (true) {
    throwIfInterrupted(signal);
    const missing = await unlessUnavailable(member.askHook(hook, signal));
    if (missing?.length === 0) return;
    const message = missing === undefined ? "the API server has no answer about it" : describeMissing(missing);
    if (message !== said) say(message);
    said = message;
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Leaves nothing of a check on the Node, however long the API server is away. */
export async function untilEnded(
  member: MemberAccess,
  hook: Hook,
  { pollMs, signal }: Omit<AskOptions, "say">,
): Promise<void> {
  const end = async (): Promise<true> => {
    await member.endHook(hook, signal);
    return true;
  };
  while ((await unlessUnavailable(end())) === undefined) {
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
    throwIfInterrupted(signal);
  }
}
