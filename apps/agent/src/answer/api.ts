import { AshlarError } from "@ashlar/base";
import {
  type ActivateResponse,
  EVIDENCE_SCHEMA,
  type EvidenceResponse,
  type KeysResponse,
  parseActivateRequest,
  parseEvidenceRequest,
  qualifyingData,
} from "@ashlar/protocol";
import { Refusal } from "../shared/refusal.ts";
import type { Methods, Routes } from "../shared/json-answers.ts";
import type { QuoteWithLogs } from "./collect-evidence.ts";
import type { SerialQueue } from "../shared/serial-queue.ts";
import type { TokenBucket } from "./token-bucket.ts";

/** What the answers are made of. */
export type Node = {
  /** SubjectPublicKeyInfo of the TLS key, DER. */
  readonly tlsPublicKey: Uint8Array;
  readonly keys: () => Promise<KeysResponse>;
  readonly activate: (credentialBlob: Uint8Array, encryptedSecret: Uint8Array) => Promise<Uint8Array>;
  readonly quoteWithLogs: (qualifyingData: Buffer) => Promise<QuoteWithLogs>;
  readonly verityStatus: () => Promise<EvidenceResponse["verity"]>;
  readonly osRelease: () => Promise<string>;
  readonly commandLine: () => Promise<string>;
};

export type Limits = { readonly queue: SerialQueue; readonly requests: TokenBucket };

/** Seconds after which a full queue has surely moved. */
const QUEUE_RETRY_SECONDS = 2;

/** What the agent answers by itself (see @ashlar/protocol). */
export function createApi(node: Node, limits: Limits): Routes {
  return new Map<string, Methods>([
    ["/v1/keys", { GET: { handle: async () => await atTpm(limits, node.keys) } }],
    ["/v1/activate", { POST: { handle: async (body) => await activate(node, limits, body) } }],
    ["/v1/evidence", { POST: { handle: async (body) => await evidence(node, limits, body) } }],
  ]);
}

async function activate(node: Node, limits: Limits, body: string): Promise<ActivateResponse> {
  const { credentialBlob, encryptedSecret } = orRefuse(() => parseActivateRequest(body));
  assertSized(credentialBlob, "credentialBlob");
  assertSized(encryptedSecret, "encryptedSecret");
  const secret = await atTpm(limits, async () => {
    await node.keys();
    return await node.activate(credentialBlob, encryptedSecret);
  });
  return { secret: Buffer.from(secret).toString("base64") };
}

async function evidence(node: Node, limits: Limits, body: string): Promise<EvidenceResponse> {
  const nonce = parseNonce(body);
  const [{ keys, quote, firmwareLog, userspaceLog }, verity, osRelease, commandLine] = await Promise.all([
    atTpm(limits, async () => ({
      keys: await node.keys(),
      ...(await node.quoteWithLogs(qualifyingData(nonce, node.tlsPublicKey))),
    })),
    node.verityStatus(),
    node.osRelease(),
    node.commandLine(),
  ]);
  const { sha256: pcrs, sha384: sha384Pcrs } = quote.pcrs;
  return {
    schema: EVIDENCE_SCHEMA,
    quote: { message: quote.message.toString("base64"), signature: quote.signature.toString("base64") },
    ...(pcrs === undefined ? {} : { pcrs: inHexadecimal(pcrs) }),
    ...(sha384Pcrs === undefined ? {} : { sha384Pcrs: inHexadecimal(sha384Pcrs) }),
    ak: keys.ak,
    ...shownOf(keys),
    tlsPublicKey: Buffer.from(node.tlsPublicKey).toString("base64"),
    firmwareLog: firmwareLog.toString("base64"),
    userspaceLog: userspaceLog.toString("base64"),
    osRelease,
    commandLine,
    verity,
  };
}

/** What stands for the TPM: one of three. */
function shownOf({ akCertificate, ekCertificate, ekPublic }: KeysResponse): Partial<EvidenceResponse> {
  if (akCertificate !== undefined) return { akCertificate };
  if (ekCertificate !== undefined) return { ekCertificate };
  return ekPublic === undefined ? {} : { ekPublic };
}

function inHexadecimal(values: ReadonlyMap<number, Buffer>): Readonly<Record<string, string>> {
  return Object.fromEntries([...values].map(([pcr, value]) => [String(pcr), value.toString("hex")]));
}

/** One request at a time at the TPM, and not more of them than it can bear. */
export async function atTpm<T>(limits: Limits, work: () => Promise<T>): Promise<T> {
  if (limits.queue.isFull) {
    throw new Refusal(503, "busy", "too many requests wait for the TPM", { retryAfterSeconds: QUEUE_RETRY_SECONDS });
  }
  const waitMs = limits.requests.take();
  if (waitMs > 0) {
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    throw new Refusal(429, "rate-limited", "too many requests for the TPM", { retryAfterSeconds });
  }
  return await limits.queue.run(work);
}

/** The nonce that a request for evidence brings. */
export function parseNonce(body: string): Buffer {
  return orRefuse(() => parseEvidenceRequest(body));
}

function orRefuse<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AshlarError) throw new Refusal(400, "malformed", error.message);
    throw error;
  }
}

/** A TPM2B starts with its own size (TPM 2.0 Library Part 2, 10.4.1); tpm2-tools would read a wrong one as they like. */
function assertSized(tpm2b: Buffer, name: string): void {
  const sizeBytes = tpm2b.readUInt16BE(0);
  if (2 + sizeBytes === tpm2b.length) return;
  const message = `request: expected a TPM2B of ${2 + sizeBytes} bytes at $.${name}, found ${tpm2b.length} bytes`;
  throw new Refusal(400, "malformed", message);
}
