import { AshlarError } from "@ashlar/base";

/** Kinds of logical clusters (`Z_EROFS_LCLUSTER_TYPE_*`). The others begin a physical cluster. */
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

/** Puts physical clusters together from the logical clusters of a file, given in their order. */
export class PhysicalClusters {
  readonly #visit: (firstBlock: number, blocks: number) => void;
  readonly #options: Options;
  /** The last head seen; `blocks` is undefined as long as nothing followed that could tell. */
  #pending: { readonly firstBlock: number; readonly isBig: boolean; blocks: number | undefined } | undefined;
  /** Inside a pack: the block of the next head, and whether the cluster before was a head of this pack. */
  #nextBlock = 0;
  #followsHead = false;
  #count = 0;

  constructor(visit: (firstBlock: number, blocks: number) => void, options: Options) {
    this.#visit = visit;
    this.#options = options;
  }

  /**
   * A logical cluster of kind 0 to 3. `value` is, for heads, where in the logical cluster their data begins; for the
   * others it may hold the number of blocks.
   */
  add(kind: number, firstBlock: number, value: number): void {
    const startBytes = this.#count * this.#options.blockSizeBytes + value;
    this.#count += 1;
    if (kind !== NONHEAD) {
      // A head where the file ends only marks the end.
      if (startBytes >= this.#options.fileSizeBytes) return;
      this.end(false);
      const isBig = kind === HEAD1 ? this.#options.isHead1Big : this.#options.isHead2Big;
      this.#pending = { firstBlock, isBig, blocks: undefined };
      return;
    }
    const pending = this.#pending;
    if (pending === undefined) malformed("expected a head first, found none");
    if (pending.blocks !== undefined) return;
    if (pending.isBig && (value & BLOCK_COUNT_FLAG) === 0) malformed("expected a number of blocks after a head");
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
    if (this.#pending !== undefined && !dropLast) this.#visit(this.#pending.firstBlock, this.#pending.blocks ?? 1);
    this.#pending = undefined;
  }
}

function malformed(message: string): never {
  throw new AshlarError("malformed", `erofs index: ${message}`);
}
