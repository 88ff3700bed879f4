import { chooseRelease } from "@ashlar/repository-index";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Server } from "node:http";
import { AshlarError, messageOf } from "@ashlar/base";
import { run } from "@ashlar/host";
import { reportText } from "@ashlar/host/terminal";
import { endWhenIdle } from "../shared/end-when-idle.ts";
import { createExtensionUpdater } from "./extensions/create-extension-updater.ts";
import { removeEndedDebugImages } from "../extensions/debug-sessions.ts";
import { createExtensionsApi } from "./extensions/extensions-api.ts";
import {
  EXTENSION_BEGINNINGS,
  type ExtensionActivity,
  writeLastError as writeExtensionsError,
} from "./extensions/extensions-status.ts";
import { inheritedDescriptors, listeningSocket } from "../shared/inherited-descriptors.ts";
import { jsonAnswers, type Routes } from "../shared/json-answers.ts";
import { nodePaths, type NodePaths } from "../shared/node-paths.ts";
import { noteFallbacks } from "../boot/note-fallbacks.ts";
import { carryOutRollback } from "./carry-out-rollback.ts";
import { carryOutUpdate } from "./carry-out-update.ts";
import { readNextBoot } from "./next-boot.ts";
import { readRunningSystem } from "../shared/running-system.ts";
import { removeInstalled } from "./ready-directory.ts";
import { OrderBook, type OrderEvents } from "./order-book.ts";
import { readPolicy } from "../shared/read-policy.ts";
import { withSlots } from "../slots/slots-lock.ts";
import { routesForAgent, routesForRoot } from "./guard-routes.ts";
import { OrderGate } from "./order-gate.ts";
import { createUpdaterApi, type Updater } from "./updater-api.ts";
import { type LastError, readUpdateStatus, UPDATE_BEGINNINGS, writeLastError } from "./update-status.ts";

/** Serves until nobody asks any more and nothing is being done. */
export async function runUpdater(
  options: { readonly idleTimeoutMs: number },
  environment: NodeJS.ProcessEnv,
  paths: NodePaths = nodePaths(),
): Promise<void> {
  const descriptors = inheritedDescriptors(environment, process.pid);
  const rootFd = listeningSocket(descriptors, { name: "root", unit: "ashlar-updater-root.socket" });
  const agentFd = listeningSocket(descriptors, { name: "agent", unit: "ashlar-updater.socket" });
  await takeStock(paths).catch((error: unknown) => {
    reportText(`what earlier boots have left cannot be found out: ${messageOf(error)}`);
  });
  const orders = new OrderBook(
    errorNotes(async (error) => await writeLastError(paths, error)),
    UPDATE_BEGINNINGS,
  );
  const { runtime } = paths.extensions;
  const extensionOrders = new OrderBook<ExtensionActivity>(
    errorNotes(async (error) => await writeExtensionsError(runtime, error)),
    EXTENSION_BEGINNINGS,
  );
  const updater = createUpdater(paths, orders);
  const routes = new Map([
    ...createUpdaterApi(updater, orders, extensionOrders),
    ...createExtensionsApi(createExtensionUpdater(paths, extensionOrders), extensionOrders),
  ]);
  const gate = createGate(paths);
  const servers = await Promise.all([
    serve(rootFd, routesForRoot(routes)),
    serve(agentFd, routesForAgent(routes, gate)),
  ]);
  const isBusy = (): boolean => orders.isBusy || extensionOrders.isBusy || gate.isAwaited;
  endWhenIdle(servers, options.idleTimeoutMs, isBusy);
  process.once("SIGTERM", () => void Promise.all([orders.stop(), extensionOrders.stop()]));
}

async function serve(fd: number, routes: Routes): Promise<Server> {
  const server = new Server(jsonAnswers(routes, "ashlar-updater.service"));
  server.listen({ fd });
  await once(server, "listening");
  return server;
}

/** What a power cut, or a boot that failed, has left. */
async function takeStock(paths: NodePaths): Promise<void> {
  await noteFallbacks(paths);
  await removeInstalled(paths, (await readRunningSystem(paths)).version);
  await removeEndedDebugImages(paths.extensions);
}

function createUpdater(paths: NodePaths, orders: OrderBook): Updater {
  return {
    status: async () => await readUpdateStatus(paths, orders.activity),
    update: async (request, context) => {
      // Loaded late: who only asks for the status need not wait for it.
      const client = { ...(await import("@ashlar/repository")), chooseRelease };
      await withSlots(paths, "an update", async () => await carryOutUpdate(paths, client, request, context));
    },
    rollBack: async (context) =>
      await withSlots(paths, "a rollback", async () => await carryOutRollback(paths, context)),
    // Returns before systemd ends this very process.
    reboot: async () => void (await run("systemctl", ["--no-block", "reboot"])),
    nextBootReport: async () => await readNextBoot(paths),
  };
}

function createGate(paths: NodePaths): OrderGate {
  return new OrderGate({
    machineId: async () => (await readFile(paths.machineId, "utf8")).trim(),
    bootId: async () => (await readFile(paths.bootId, "utf8")).trim(),
    operators: async () => (await readPolicy(paths))?.operators ?? [],
  });
}

const INTERRUPTED = new AshlarError("interrupted", "the updater ended before the order was carried out", {
  hint: "give the order again: it goes on where it was",
});

/** Keeps why an order failed. Who asks after this process has been killed is told so. */
function errorNotes(write: (error: LastError | null) => Promise<void>): OrderEvents {
  const note = async (error: unknown): Promise<void> => {
    const expected = error instanceof AshlarError ? error : undefined;
    // What nobody expected is a bug, and is found by its stack.
    if (error !== undefined && error !== INTERRUPTED) {
      reportText(`order failed: ${expected?.message ?? stackOf(error)}`);
    }
    const { code = "failed", hint } = expected ?? {};
    const told = { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }) };
    try {
      await write(error === undefined ? null : told);
    } catch (failure) {
      reportText(`why the order failed cannot be kept: ${messageOf(failure)}`);
    }
  };
  return { onBegin: async () => await note(INTERRUPTED), onEnd: note };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
