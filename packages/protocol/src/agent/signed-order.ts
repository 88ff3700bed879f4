/**
 * How an operator proves an order to a node's updater. Between the two stands the agent, which faces the network and only
 * passes on what it gets: whoever takes it over learns orders and can drop them, but can make, change or repeat none.
 *
 *     POST /v1/order-nonce {}         -> OrderNonce
 *     POST (an order's path) SignedOrder -> as `update-api.ts` and `extension-api.ts` say
 */
import { createPublicKey, sign, verify, type KeyObject } from "node:crypto";
import { AshlarError, membersOf } from "@ashlar/base";
import { MAX_REQUEST_BYTES } from "./agent-api.ts";
import { isOperatorKey, operatorPin, pinOfSpki } from "./operator-key.ts";

export const ORDER_SCHEMA = "ashlar.order/v1";
export const ORDER_NONCE_SCHEMA = "ashlar.order-nonce/v1";

/** Good for one order, given to the updater that has made it, within five minutes. */
export type OrderNonce = {
  readonly schema: typeof ORDER_NONCE_SCHEMA;
  /** 32 random bytes in base64url. */
  readonly nonce: string;
  /** Of the boot in which it is good. */
  readonly bootId: string;
};

/** What is signed. */
export type Order = {
  /** Of the node that shall carry it out, as its TPM's quote proves it (PCR 15). */
  readonly machineId: string;
  readonly bootId: string;
  readonly nonce: string;
  /** For example /v1/update. */
  readonly path: string;
  /** The exact text of the request. */
  readonly request: string;
};

/** As it travels. */
export type SignedOrder = {
  readonly schema: typeof ORDER_SCHEMA;
  /** The exact JSON text of an {@link Order}. */
  readonly order: string;
  /** The operator's SubjectPublicKeyInfo, DER in base64. */
  readonly key: string;
  /** In base64: r and s, 32 bytes each, over SHA-256 of `ashlar.order/v1`, a zero byte and the order's text. */
  readonly signature: string;
};

const NONCE = /^[\w-]{43}$/u;
const MACHINE_ID = /^[0-9a-f]{32}$/u;
const BOOT_ID = /^[\w.-]{1,64}$/u;
const PATH = /^\/v1\/[a-z/-]{1,64}$/u;
/** Of a P-256 key it is 91 bytes. */
const MAX_KEY_BYTES = 512;
const SIGNATURE_BYTES = 64;

/** The envelope's text. */
export function signOrder(order: Order, privateKey: KeyObject): string {
  const text = JSON.stringify(order);
  const signature = sign("sha256", toBeSigned(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  const key = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const signed: SignedOrder = {
    schema: ORDER_SCHEMA,
    order: text,
    key: key.toString("base64"),
    signature: signature.toString("base64"),
  };
  return JSON.stringify(signed);
}

/**
 * The order that one of `operators` has signed, and whose key that was. Whether it is meant for this node, and now, is
 * for the caller to find out.
 *
 * @throws AshlarError `malformed`, or `untrusted` when none of them has signed it
 */
export function openSignedOrder(text: string, operators: readonly string[]): { order: Order; operator: string } {
  const { order, key, signature } = parseSignedOrder(text);
  const pin = pinOfSpki(key);
  if (!operators.includes(pin)) {
    throw new AshlarError("untrusted", `expected the key of an operator of this node, found ${pin}`, {
      hint: "add it to `operators` in the node's update.yaml",
    });
  }
  // Only bytes whose digest this node's own file names are looked into.
  const publicKey = createPublicKey({ key, type: "spki", format: "der" });
  if (!isOperatorKey(publicKey)) malformed("an operator's key for ECDSA on P-256", publicKey.asymmetricKeyType);
  if (!verify("sha256", toBeSigned(order), { key: publicKey, dsaEncoding: "ieee-p1363" }, signature)) {
    throw new AshlarError("untrusted", `expected a signature by ${pin} over this very order, found another one`);
  }
  return { order: parseOrder(order), operator: operatorPin(publicKey) };
}

/** @throws AshlarError `malformed` */
export function parseOrderNonce(text: string): OrderNonce {
  const { schema, nonce, bootId } = parseObject(text, "answer");
  if (schema !== ORDER_NONCE_SCHEMA) malformed(ORDER_NONCE_SCHEMA, schema);
  return { schema, nonce: matching(nonce, "nonce", NONCE), bootId: matching(bootId, "bootId", BOOT_ID) };
}

function parseSignedOrder(text: string): { order: string; key: Buffer; signature: Buffer } {
  if (text.length > MAX_REQUEST_BYTES) malformed(`at most ${MAX_REQUEST_BYTES} characters`, text.length);
  const { schema, order, key, signature, ...others } = text === "" ? {} : parseObject(text, "order");
  if (schema === undefined) {
    throw new AshlarError("untrusted", `expected an order that an operator has signed (${ORDER_SCHEMA}), found none`, {
      hint: "give orders with `ashlar update --operator-key FILE`, in a version that signs them; on the node, as root, with `ashlar agent update`",
    });
  }
  if (schema !== ORDER_SCHEMA) malformed(`${ORDER_SCHEMA}, the way of signing that this node knows,`, schema);
  refuseOthers(others);
  if (typeof order !== "string") malformed("a text at $.order", order);
  const bytes = base64(signature, "signature", SIGNATURE_BYTES);
  if (bytes.length !== SIGNATURE_BYTES) malformed(`${SIGNATURE_BYTES} bytes at $.signature`, bytes.length);
  return { order, key: base64(key, "key", MAX_KEY_BYTES), signature: bytes };
}

function parseOrder(text: string): Order {
  const { machineId, bootId, nonce, path, request, ...others } = parseObject(text, "order");
  refuseOthers(others);
  if (typeof request !== "string") malformed("a text at $.request", request);
  return {
    machineId: matching(machineId, "machineId", MACHINE_ID),
    bootId: matching(bootId, "bootId", BOOT_ID),
    nonce: matching(nonce, "nonce", NONCE),
    path: matching(path, "path", PATH),
    request,
  };
}

/** The domain word keeps a signature from meaning anything else, whatever else this key may sign. */
function toBeSigned(order: string): Buffer {
  return Buffer.from(`${ORDER_SCHEMA}\0${order}`, "utf8");
}

function parseObject(text: string, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return membersOf(value);
  throw new AshlarError("malformed", `${what}: expected a JSON object, found something else`);
}

function refuseOthers(others: object): void {
  const [other] = Object.keys(others);
  if (other !== undefined) malformed("known members only", other);
}

function matching(value: unknown, name: string, pattern: RegExp): string {
  return typeof value === "string" && pattern.test(value) ? value : malformed(`${pattern} at $.${name}`, value);
}

/** Buffer skips what is not base64: only a text with one reading is accepted. */
function base64(value: unknown, name: string, maxBytes: number): Buffer {
  const bytes = Buffer.from(typeof value === "string" ? value : "", "base64");
  const isExact = bytes.toString("base64") === value && bytes.length > 0 && bytes.length <= maxBytes;
  return isExact ? bytes : malformed(`base64 of at most ${maxBytes} bytes at $.${name}`, value);
}

function malformed(expected: string, value: unknown): never {
  const found = value === undefined ? "nothing" : JSON.stringify(value).slice(0, 80);
  throw new AshlarError("malformed", `order: expected ${expected}, found ${found}`);
}
