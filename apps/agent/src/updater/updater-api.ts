import { AshlarError } from "@ashlar/base";
import { parseUpdateRequest, type NextBootReport, type UpdateRequest, type UpdateStatus } from "@ashlar/protocol";
import { type Methods, refusalOf, type Routes } from "../shared/json-answers.ts";
import { Refusal } from "../shared/refusal.ts";
import type { OrderBook, OrderContext } from "./order-book.ts";

/** What the updater can do. */
export type Updater = {
  readonly status: () => Promise<UpdateStatus>;
  readonly update: (request: UpdateRequest, context: OrderContext) => Promise<void>;
  readonly rollBack: (context: OrderContext) => Promise<void>;
  readonly reboot: () => Promise<void>;
  readonly nextBootReport: () => Promise<NextBootReport>;
};

/** The updater's interface (see `update-api.ts` in @ashlar/protocol), for whoever may use it: see `caller.ts`. */
export function createUpdaterApi(
  updater: Updater,
  orders: OrderBook,
  extensionOrders: { readonly isBusy: boolean },
): Routes {
  const status = async (): Promise<UpdateStatus> => await updater.status();
  return new Map<string, Methods>([
    [
      "/v1/update",
      {
        GET: { handle: status },
        POST: {
          status: 202,
          handle: async (body) => {
            const request = orRefuse(() => parseUpdateRequest(body), 400);
            orRefuse(
              () => orders.begin("update", request, async (context) => await updater.update(request, context)),
              409,
            );
            return await status();
          },
        },
      },
    ],
    [
      "/v1/rollback",
      {
        POST: {
          status: 202,
          handle: async () => {
            orRefuse(() => orders.begin("rollback", {}, updater.rollBack), 409);
            return await status();
          },
        },
      },
    ],
    [
      "/v1/reboot",
      {
        POST: {
          status: 202,
          handle: async () => {
            if (orders.isBusy || extensionOrders.isBusy)
              throw new Refusal(409, "conflict", "an order is being carried out");
            const answer = await status();
            await updater.reboot();
            return answer;
          },
        },
      },
    ],
    ["/v1/next-boot", { GET: { handle: async () => await readNextBoot(updater, orders) } }],
  ]);
}

/** Reading the disk while it is being written takes minutes, and would say nothing for long. */
async function readNextBoot(updater: Updater, orders: OrderBook): Promise<NextBootReport> {
  if (!orders.isBusy) return await updater.nextBootReport();
  throw new Refusal(409, "conflict", "an update is being carried out: what boots next is not decided yet");
}

function orRefuse<T>(work: () => T, status: number): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof AshlarError ? refusalOf(error, status) : error;
  }
}
