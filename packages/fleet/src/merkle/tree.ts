/**
 * Merkle hash trees as in Certificate Transparency (RFC 6962, 2.1; the same in RFC 9162): a leaf's hash begins with a zero
 * byte and an inner one's with a one, so that neither can be taken for the other. A tree of n leaves is split at the
 * largest power of two below n.
 */
import { createHash } from "node:crypto";

/** RFC 6962, 2.1: SHA-256(0x00 || data). */
export function leafHash(data: Uint8Array | string): Buffer {
  return createHash("sha256").update(LEAF).update(data).digest();
}

/** The root over leaves' hashes; over none it is the hash of nothing. */
export function treeRoot(leaves: readonly Uint8Array[]): Buffer {
  let level = leaves;
  while (level.length > 1) level = parentsOf(level);
  return level[0] === undefined ? createHash("sha256").digest() : Buffer.from(level[0]);
}

/** RFC 6962, 2.1.1: what shows that a leaf is in the tree, from the leaf up. @throws RangeError without such a leaf */
export function inclusionPath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) throw new RangeError(`no leaf ${index}`);
  const path: Uint8Array[] = [];
  let level = leaves;
  for (let at = index; level.length > 1; at >>>= 1) {
    // The last one of an odd number has no sibling, and goes up as it is.
    const sibling = level[at ^ 1];
    if (sibling !== undefined) path.push(sibling);
    level = parentsOf(level);
  }
  return path;
}

/**
 * The root to which a leaf's hash and its path lead (RFC 9162, 2.1.3.2).
 *
 * @returns undefined when no path of this length belongs to that place in a tree of this size
 */
export function rootOfPath(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Buffer | undefined {
  if (!Number.isInteger(index) || !Number.isInteger(size) || index < 0 || index >= size || size > MAX_SIZE) {
    return undefined;
  }
  let [at, last] = [index, size - 1];
  let hash: Buffer = Buffer.from(leaf);
  for (const sibling of path) {
    if (last === 0) return undefined;
    if ((at & 1) === 1 || at === last) {
      hash = parentOf(sibling, hash);
      // No sibling on these levels: the hash went up as it was.
      while ((at & 1) === 0 && at !== 0) [at, last] = [at >>> 1, last >>> 1];
    } else {
      hash = parentOf(hash, sibling);
    }
    [at, last] = [at >>> 1, last >>> 1];
  }
  return last === 0 ? hash : undefined;
}

/** Bitwise operators have 32 bits, one of them for the sign. */
const MAX_SIZE = 2 ** 31 - 1;
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

function parentsOf(level: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let index = 0; index < level.length; index += 2) {
    const [left, right] = [level[index], level[index + 1]];
    if (left !== undefined) parents.push(right === undefined ? left : parentOf(left, right));
  }
  return parents;
}

/** RFC 6962, 2.1: SHA-256(0x01 || left || right). */
function parentOf(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash("sha256").update(NODE).update(left).update(right).digest();
}
