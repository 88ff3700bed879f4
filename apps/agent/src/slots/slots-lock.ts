import { join } from "node:path";
import { withLock } from "@ashlar/host";
import type { NodePaths } from "../shared/node-paths.ts";

const WAIT_MS: number = 15 * 60_000;

/** While slots are read to the last block nobody writes to them, and while they are written nobody judges them. */
export async function withSlots<T>({ runtime }: NodePaths, holder: string, work: () => Promise<T>): Promise<T> {
  return await withLock(join(runtime, "slots.lock"), { what: "the pair of slots", holder, waitMs: WAIT_MS }, work);
}
