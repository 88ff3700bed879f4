import { withLock } from "@ashlar/host";

const WAIT_MS: number = 15 * 60_000;

/** While slots are read to the last block nobody writes to them, and while they are written nobody judges them. */
export async function withSlots<T>(holder: string, work: () => Promise<T>): Promise<T> {
  return await withLock("slots", { holder, waitMs: WAIT_MS }, work);
}
