import { AshlarError } from "@ashlar/base";
import { type Guid, uuidFromBytes, uuidToBytes } from "../gpt/guid.ts";

/**
 * The partition UUIDs by which `usrhash=` finds the data and hash partitions (UAPI Group "Discoverable Partitions
 * Specification", "Partition Names"; systemd-veritysetup-generator(8)): the first and last 128 bits of the root hash.
 */
export function partitionUuidsOf(rootHash: Uint8Array): { readonly data: Guid; readonly hash: Guid } {
  if (rootHash.length < 32) {
    throw new AshlarError("invalid", `root hash: expected at least 32 bytes, found ${rootHash.length}`);
  }
  return { data: uuidFromBytes(rootHash.slice(0, 16)), hash: uuidFromBytes(rootHash.slice(-16)) };
}

/** The SHA-256 root hash that two partition UUIDs spell. */
export function rootHashOf(uuids: { readonly data: Guid; readonly hash: Guid }): Uint8Array {
  return Uint8Array.of(...uuidToBytes(uuids.data), ...uuidToBytes(uuids.hash));
}
