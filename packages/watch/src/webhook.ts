import { AshlarError, messageOf } from "@ashlar/base";
import { messageOf as messageOfChanges, type WebhookKind } from "./decide/messages.ts";
import type { Change } from "./decide/standing.ts";

export type Webhook = {
  /** What state and messages call it: never its address, in which Slack has the secret. */
  readonly name: string;
  readonly kind: WebhookKind;
  readonly url: string;
};

const TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 5_000;
const MOST_RETRY_MS = 600_000;

/** @throws AshlarError `unavailable`; the address is in no message, since whoever has it can write there */
export async function sendMessage(
  { name, kind, url }: Webhook,
  { changes, event }: { readonly changes: readonly Change[]; readonly event: string },
  source: string,
  signal: AbortSignal,
): Promise<void> {
  const { contentType, body } = messageOfChanges(kind, changes, event, source);
  let status: number;
  try {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": contentType },
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    ({ status } = response);
  } catch (error) {
    throw new AshlarError("unavailable", `webhook ${name}: ${messageOf(error)}`, { cause: error });
  }
  if (status < 200 || status > 299)
    throw new AshlarError("unavailable", `webhook ${name}: expected a status from 200 to 299, found ${status}`);
}

/** How long to wait after so many attempts. */
export function retryMs(attempts: number): number {
  return Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 10));
}
