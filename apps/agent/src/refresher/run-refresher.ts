import { once } from "node:events";
import { Server } from "node:http";
import { AshlarError, messageOf } from "@ashlar/base";
import { printLines, reportText } from "@ashlar/host/terminal";
import { endWhenIdle } from "../shared/end-when-idle.ts";
import { inheritedDescriptors, listeningSocket } from "../shared/inherited-descriptors.ts";
import { jsonAnswers, refusalOf, type Routes } from "../shared/json-answers.ts";
import { nodePaths, type NodePaths } from "../shared/node-paths.ts";
import { Refusal } from "../shared/refusal.ts";
import { SerialQueue } from "../shared/serial-queue.ts";
import { applyOnNode, prepareToApply } from "./apply-on-node.ts";
import { describeRecord } from "../extensions/merge-record.ts";
import { REFRESH_PATH } from "../extensions/refresher-client.ts";

/** The updater and a person or two. */
const MAX_QUEUED = 8;

/**
 * Verifies, measures and merges whenever it is asked to, until nobody asks any more. It stays for a while because starting
 * takes longer than its work: whoever begins to fetch an image wakes it.
 */
export async function runRefresher(
  options: { readonly idleTimeoutMs: number },
  environment: NodeJS.ProcessEnv,
  paths: NodePaths = nodePaths(),
): Promise<void> {
  const descriptors = inheritedDescriptors(environment, process.pid);
  const fd = listeningSocket(descriptors, { name: "refresher", unit: "ashlar-refresher.socket" });
  const queue = new SerialQueue(MAX_QUEUED);
  const refresh = async (): Promise<object> => {
    printLines(describeRecord(await applyOnNode(paths)));
    // The record is on the disk, for whoever wants to know.
    return {};
  };
  const handle = async (): Promise<object> => {
    if (queue.isFull) throw new Refusal(503, "busy", `expected at most ${MAX_QUEUED} requests at a time`);
    return await queue.run(refresh).catch(refuse);
  };
  const routes: Routes = new Map([[REFRESH_PATH, { POST: { handle } }]]);
  const server = new Server(jsonAnswers(routes, "ashlar-refresher.service"));
  server.listen({ fd });
  await once(server, "listening");
  endWhenIdle([server], options.idleTimeoutMs);
  await queue
    .run(async () => await prepareToApply(paths))
    .catch((error: unknown) => {
      reportText(`nothing can be prepared: ${messageOf(error)}`);
    });
}

function refuse(error: unknown): never {
  throw error instanceof AshlarError ? refusalOf(error, 500) : error;
}
