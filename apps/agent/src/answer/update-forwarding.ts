import {
  MAX_NEXT_BOOT_BYTES,
  MAX_UPDATE_STATUS_BYTES,
  NEXT_BOOT_SCHEMA,
  nextBootQualifyingData,
  MAX_EXTENSIONS_STATUS_BYTES,
  type NextBootEvidence,
} from "@ashlar/protocol";
import { AshlarError, membersOf } from "@ashlar/base";
import { reportText } from "@ashlar/host/terminal";
import { atTpm, type Limits, parseNonce } from "./api.ts";
import type { Method, Methods, Routes } from "../shared/json-answers.ts";
import { Refusal, type RefusalCode } from "../shared/refusal.ts";
import type { SocketAnswer } from "../shared/socket-client.ts";
import type { TokenBucket } from "./token-bucket.ts";
import type { UpdaterRequest } from "../shared/updater-client.ts";

export type Forwarding = {
  readonly askUpdater: (request: UpdaterRequest) => Promise<SocketAnswer>;
  /** SubjectPublicKeyInfo of the TLS key, DER. */
  readonly tlsPublicKey: Uint8Array;
  readonly quote: (qualifyingData: Buffer) => Promise<{ readonly message: Buffer; readonly signature: Buffer }>;
  readonly tpm: Limits;
  /** For what only reads a few files. */
  readonly requests: TokenBucket;
  /** A report on the next boot reads the whole ESP. */
  readonly reports: TokenBucket;
};

/**
 * What the agent passes on to the updater (see `update-api.ts`, `extension-api.ts` and `signed-order.ts` in
 * @ashlar/protocol). The agent has no privilege and takes no decision: an order proves to the updater itself whose it is.
 */
export function createForwarding(forwarding: Forwarding): Routes {
  const change = (path: string, maxBytes?: number): Methods => ({
    POST: {
      status: 202,
      handle: async (body) => {
        take(forwarding.requests);
        return await forward(forwarding, { method: "POST", path, body }, maxBytes);
      },
    },
  });
  const read = (path: string, maxBytes?: number): Methods => ({
    GET: {
      handle: async () => {
        take(forwarding.requests);
        return await forward(forwarding, { method: "GET", path }, maxBytes);
      },
    },
  });
  return new Map<string, Methods>([
    ["/v1/update", { ...read("/v1/update"), ...change("/v1/update") }],
    ["/v1/order-nonce", { POST: { handle: async () => await orderNonce(forwarding) } }],
    ["/v1/rollback", change("/v1/rollback")],
    ["/v1/reboot", change("/v1/reboot")],
    ["/v1/extensions", read("/v1/extensions", MAX_EXTENSIONS_STATUS_BYTES)],
    ["/v1/extensions/update", change("/v1/extensions/update", MAX_EXTENSIONS_STATUS_BYTES)],
    ["/v1/extensions/debug", change("/v1/extensions/debug", MAX_EXTENSIONS_STATUS_BYTES)],
    ["/v1/next-boot", { POST: { handle: async (body) => await nextBoot(forwarding, body) } }],
  ]);
}

async function orderNonce(forwarding: Forwarding): Promise<object> {
  take(forwarding.requests);
  return await forward(forwarding, { method: "POST", path: "/v1/order-nonce" });
}

async function nextBoot(forwarding: Forwarding, body: string): Promise<NextBootEvidence> {
  const nonce = parseNonce(body);
  take(forwarding.reports);
  const answer = await forward(forwarding, { method: "GET", path: "/v1/next-boot" }, MAX_NEXT_BOOT_BYTES);
  const report = JSON.stringify(answer);
  const data = nextBootQualifyingData(nonce, forwarding.tlsPublicKey, report);
  const { message, signature } = await atTpm(forwarding.tpm, async () => await forwarding.quote(data));
  return {
    schema: NEXT_BOOT_SCHEMA,
    report,
    quote: { message: message.toString("base64"), signature: signature.toString("base64") },
  };
}

async function forward(
  { askUpdater }: Forwarding,
  request: {
    readonly method: Method;
    readonly path: string;
    readonly body?: string;
  },
  maxBytes: number = MAX_UPDATE_STATUS_BYTES,
): Promise<object> {
  const { status, body } = await askUpdater({ ...request, maxBytes }).catch((error: unknown) => {
    if (!(error instanceof AshlarError)) throw error;
    reportText(`the updater cannot be asked: ${error.message}`);
    throw new Refusal(503, "unavailable", "the node's updater does not answer", {
      hint: "see `systemctl status ashlar-updater.service` on the node",
    });
  });
  if (status < 300 && typeof body === "object" && body !== null) return body;
  const { code, message, hint } = membersOf(membersOf(body)["error"]);
  const text = typeof message === "string" ? message : "the node's updater could not do it";
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the updater is this same program
  const known = (typeof code === "string" ? code : "failed") as RefusalCode;
  throw new Refusal(status, known, text, typeof hint === "string" ? { hint } : {});
}

function take(bucket: TokenBucket): void {
  const waitMs = bucket.take();
  if (waitMs === 0) return;
  throw new Refusal(429, "rate-limited", "too many requests", { retryAfterSeconds: Math.ceil(waitMs / 1000) });
}
