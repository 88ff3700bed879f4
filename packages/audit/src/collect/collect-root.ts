import { collect, type CollectOptions, type Received } from "./collect.ts";

/**
 * Runs the collector over a tree of this machine.
 *
 * @throws AshlarError `failed` when it cannot run there, `unavailable` when nothing comes any more, `limit`, `interrupted`
 */
export async function collectRoot(root: string, options: CollectOptions): Promise<Received> {
  return await collect("sh", ["-s", "--", root], options);
}
