import { chooseExtension } from "@ashlar/repository-index";
import type { NodePaths } from "../../shared/node-paths.ts";
import type { OrderBook } from "../order-book.ts";
import type * as orders from "./carry-out-orders.ts";
import { nodeChecks } from "./check-component.ts";
import type { ExtensionUpdater } from "./extensions-api.ts";
import { type ExtensionActivity, readExtensionsStatus } from "./extensions-status.ts";

/** Loads what it needs with the first order: who only asks for the status need not wait for it. */
export function createExtensionUpdater(paths: NodePaths, book: OrderBook<ExtensionActivity>): ExtensionUpdater {
  const tools = {
    paths,
    client: async () => ({ ...(await import("@ashlar/repository")), chooseExtension }),
    checks: nodeChecks(paths),
  };
  const load = async (): Promise<typeof orders> => await import("./carry-out-orders.ts");
  return {
    status: async () => await readExtensionsStatus(paths, book.activity),
    update: async (request, context) => {
      await (await load()).carryOutComponentUpdate(tools, request, context);
    },
    debug: async (request, context) => {
      await (await load()).carryOutDebug(tools, request, context);
    },
    maintain: async (request, context) => {
      await (await load()).maintainExtensions(tools, request, context);
    },
  };
}
