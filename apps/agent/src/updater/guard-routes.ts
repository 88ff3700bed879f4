import { AshlarError } from "@ashlar/base";
import { reportLine } from "@ashlar/host/terminal";
import type { Methods, Routes } from "../shared/json-answers.ts";
import { Refusal, type RefusalCode } from "../shared/refusal.ts";
import type { Caller } from "./caller.ts";
import type { OrderGate } from "./order-gate.ts";

/** The path at which nonces for orders are given out. */
const NONCE_PATH = "/v1/order-nonce";

/** What is served on the socket that only root can open: everything, and that is all the proof it takes. */
export function routesForRoot(routes: Routes): Routes {
  return mapOrders(routes, (path, order) => async (body) => {
    note(path, { kind: "local-root" });
    return await order(body);
  });
}

/** What is served on the agent's socket: reading is free, and for everything else an operator's signature is asked for. */
export function routesForAgent(routes: Routes, gate: OrderGate): Routes {
  const guarded = mapOrders(routes, (path, order) => async (body) => {
    const { caller, request } = await gate.admit(path, body).catch(refuse);
    note(path, caller);
    return await order(request);
  });
  const nonces: Methods = { POST: { handle: async () => await gate.issueNonce().catch(refuse) } };
  return new Map([...guarded, [NONCE_PATH, nonces]]);
}

type Handler = (body: string) => Promise<object>;

/** Whatever is posted changes something. */
function mapOrders(routes: Routes, wrap: (path: string, order: Handler) => Handler): Routes {
  const wrapped = [...routes].map(([path, { GET, POST }]): readonly [string, Methods] => [
    path,
    {
      ...(GET === undefined ? {} : { GET }),
      ...(POST === undefined ? {} : { POST: { ...POST, handle: wrap(path, POST.handle) } }),
    },
  ]);
  return new Map(wrapped);
}

function note(path: string, caller: Caller): void {
  reportLine(`order ${path} by ${caller.kind === "operator" ? caller.key : "root of this node"}`);
}

const STATUSES: Readonly<Record<string, readonly [status: number, code: RefusalCode]>> = {
  malformed: [400, "malformed"],
  untrusted: [403, "forbidden"],
  conflict: [409, "conflict"],
  limit: [503, "busy"],
};

function refuse(error: unknown): never {
  const [status, code] = (error instanceof AshlarError ? STATUSES[error.code] : undefined) ?? [];
  if (!(error instanceof AshlarError) || status === undefined || code === undefined) throw error;
  const { message, hint } = error;
  throw new Refusal(status, code, message, hint === undefined ? {} : { hint });
}
