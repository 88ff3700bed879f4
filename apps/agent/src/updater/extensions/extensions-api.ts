import { AshlarError, type Json } from "@ashlar/base";
import {
  parseComponentRequest,
  parseDebugRequest,
  parseMaintainRequest,
  type ComponentRequest,
  type DebugRequest,
  type ExtensionsStatus,
  type MaintainRequest,
} from "@ashlar/protocol";
import { type Methods, refusalOf, type Routes } from "../../shared/json-answers.ts";
import type { OrderBook } from "../order-book.ts";
import type { ExtensionActivity } from "./extensions-status.ts";
import type { ExtensionOrder } from "./version-source.ts";

/** What the updater can do about extensions. */
export type ExtensionUpdater = {
  readonly status: () => Promise<ExtensionsStatus>;
  readonly update: (request: ComponentRequest, context: ExtensionOrder) => Promise<void>;
  readonly debug: (request: DebugRequest, context: ExtensionOrder) => Promise<void>;
  readonly maintain: (request: MaintainRequest, context: ExtensionOrder) => Promise<void>;
};

/** The part of the updater's interface that is about extensions (see `extension-api.ts` in @ashlar/protocol). */
export function createExtensionsApi(updater: ExtensionUpdater, orders: OrderBook<ExtensionActivity>): Routes {
  const order = <Request extends Json>(
    name: string,
    parse: (body: string) => Request,
    work: (request: Request, context: ExtensionOrder) => Promise<void>,
  ): Methods => ({
    POST: {
      status: 202,
      handle: async (body) => {
        const request = orRefuse(() => parse(body), 400);
        orRefuse(() => orders.begin(name, request, async (context) => await work(request, context)), 409);
        return await updater.status();
      },
    },
  });
  return new Map<string, Methods>([
    ["/v1/extensions", { GET: { handle: async () => await updater.status() } }],
    ["/v1/extensions/update", order("update", parseComponentRequest, updater.update)],
    ["/v1/extensions/debug", order("debug", parseDebugRequest, updater.debug)],
    // Not forwarded by the agent: for this node's own units.
    ["/v1/extensions/maintain", order("maintain", parseMaintainRequest, updater.maintain)],
  ]);
}

function orRefuse<T>(work: () => T, status: number): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof AshlarError ? refusalOf(error, status) : error;
  }
}
