import { AshlarError } from "@ashlar/base";

/** Some blocks of the image and the part of a file that they hold. */
export type PhysicalCluster = {
  readonly firstBlock: number;
  readonly blocks: number;
  /** The bytes of the file, from `startBytes` up to but not with `endBytes`. */
  readonly startBytes: number;
  readonly endBytes: number;
  /** Not compressed. */
  readonly isPlain: boolean;
};

export type VisitCluster = (cluster: PhysicalCluster) => void;

/** Kinds of logical clusters (`Z_EROFS_LCLUSTER_TYPE_*`). All but NONHEAD begin a physical cluster. */
const PLAIN = 0;
const HEAD1 = 1;
export const NONHEAD = 2;
/** In the first `delta` after a head: the rest is the physical cluster's number of blocks (`Z_EROFS_LI_D0_CBLKCNT`). */
const BLOCK_COUNT_FLAG = 0x800;

type Options = {
  readonly blockSizeBytes: number;
  readonly fileSizeBytes: number;
  /** Whether physical clusters of these kinds may have several blocks. */
  readonly isHead1Big: boolean;
  readonly isHead2Big: boolean;
};

type Pending = Omit<PhysicalCluster, "blocks" | "endBytes"> & {
  readonly isBig: boolean;
  /** Undefined as long as nothing followed that could tell. */
  blocks: number | undefined;
};

/** Puts physical clusters together from the logical clusters of a file, given in their order. */
export class PhysicalClusters {
  readonly #visit: VisitCluster;
  readonly #options: Options;
  #pending: Pending | undefined;
  /** Logical clusters seen. */
  #count = 0;
  /** Inside a pack: the block of the next head, and whether the cluster before was a head of this pack. */
  #nextBlock = 0;
  #followsHead = false;

  constructor(visit: VisitCluster, options: Options) {
    this.#visit = visit;
    this.#options = options;
  }

  /**
   * A logical cluster of kind 0 to 3. `value` is, for heads, where in the logical cluster their data begins; for the
   * others it may hold the number of blocks.
   */
  add(kind: number, firstBlock: number, value: number): void {
    const { blockSizeBytes, fileSizeBytes, isHead1Big, isHead2Big } = this.#options;
    const startBytes = this.#count * blockSizeBytes + value;
    this.#count += 1;
    if (kind === NONHEAD) this.#follow(value);
    // A head where the file ends only marks the end.
    else if (startBytes < fileSizeBytes) {
      if (value >= blockSizeBytes) malformed(`data to begin inside its block of ${blockSizeBytes}`, `offset ${value}`);
      if (this.#pending === undefined && startBytes > 0)
        malformed("data from the file's beginning", `from ${startBytes}`);
      this.#flush(startBytes);
      const isBig = kind === HEAD1 ? isHead1Big : isHead2Big;
      this.#pending = { firstBlock, startBytes, isPlain: kind === PLAIN, isBig, blocks: undefined };
    }
  }

  #follow(value: number): void {
    const pending = this.#pending;
    if (pending === undefined) malformed("a head first", "none");
    if (pending.blocks !== undefined) return;
    if (pending.isBig && (value & BLOCK_COUNT_FLAG) === 0) malformed("a number of blocks after a head", "none");
    pending.blocks = pending.isBig ? value & ~BLOCK_COUNT_FLAG : 1;
  }

  /**
   * Begins a pack of a compact index. It has one address: where physical clusters have several blocks, that of its first
   * head, else that of the block before.
   */
  beginPack(address: number): void {
    this.#nextBlock = this.#options.isHead1Big ? address : address + 1;
    this.#followsHead = false;
  }

  /** A logical cluster of the pack: addresses of heads follow from the sizes of the physical clusters before. */
  addPacked(kind: number, value: number): void {
    this.add(kind, this.#nextBlock, value);
    if (kind !== NONHEAD) this.#nextBlock += 1;
    else if (this.#options.isHead1Big && (value & BLOCK_COUNT_FLAG) !== 0) {
      // A head in this pack has already counted as one block; one in the pack before has not.
      this.#nextBlock += (value & ~BLOCK_COUNT_FLAG) - (this.#followsHead ? 1 : 0);
    }
    this.#followsHead = kind !== NONHEAD;
  }

  /** Ends the file. `dropLast`: the last physical cluster has no blocks of its own. */
  end(dropLast: boolean): void {
    if (!dropLast) this.#flush(this.#options.fileSizeBytes);
  }

  #flush(endBytes: number): void {
    if (this.#pending === undefined) return;
    const { firstBlock, blocks = 1, startBytes, isPlain } = this.#pending;
    this.#visit({ firstBlock, blocks, startBytes, endBytes, isPlain });
  }
}

function malformed(expected: string, found: string): never {
  throw new AshlarError("malformed", `erofs index: expected ${expected}, found ${found}`);
}
