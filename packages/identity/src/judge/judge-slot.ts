import type { Difference } from "../check/difference.ts";
import type { KnownRelease } from "@ashlar/protocol/answers";
import type { SlotReport } from "@ashlar/protocol";

/**
 * - `intact`: every block was read since it was written, and is what was released.
 * - `unread`: nobody has read all blocks yet.
 * - `damaged`: blocks are not what was released, or the partitions hold something else.
 */
export const SLOT_STATES = ["intact", "unread", "damaged"] as const;
export type SlotState = (typeof SLOT_STATES)[number];

/** The slot that a release's `usrhash=` finds, which is by the UUIDs of its partitions. */
export function judgeSlot(
  { version, usr }: KnownRelease,
  slots: readonly SlotReport[],
): { readonly state: SlotState; readonly differences: readonly Difference[] } {
  const [slot, ...more] = slots.filter(
    (each) => each.dataPartitionUuid === usr.dataPartitionUuid && each.hashPartitionUuid === usr.hashPartitionUuid,
  );
  const what = `slot of ${version}`;
  const damaged = (expected: string, found: string) =>
    ({ state: "damaged", differences: [{ code: "slot", subject: version, what, expected, found }] }) as const;
  if (slot === undefined || more.length > 0) {
    const partitions = `partitions ${usr.dataPartitionUuid} and ${usr.hashPartitionUuid}`;
    return damaged(`one with ${partitions}`, slot === undefined ? "none" : `${more.length + 1} of them`);
  }
  if (slot.rootHash !== usr.rootHash) return damaged(`root hash ${usr.rootHash}`, slot.rootHash ?? "no hash tree");
  if (slot.badBlocks !== null && slot.badBlocks > 0) {
    return damaged("every block as released", `${slot.badBlocks} bad ${slot.badBlocks === 1 ? "block" : "blocks"}`);
  }
  if (slot.badBlocks === null || slot.readAt === null) {
    const expected = "every block read since it was written";
    return {
      state: "unread",
      differences: [{ code: "slot", subject: version, what, expected, found: "not read yet" }],
    };
  }
  return { state: "intact", differences: [] };
}
