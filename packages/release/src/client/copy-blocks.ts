import { AshlarError } from "@ashlar/base";
import { readAhead } from "@ashlar/host";
import { BLOCK_BYTES, DIGEST_BYTES } from "../blocks/blocks-layout.ts";
import { readBlocks, writeBlocksAt } from "../blocks/block-files.ts";
import { type CopyRun, findCopies } from "./find-copies.ts";
import type { OpenSource } from "./slot-source.ts";
import { BATCH_BLOCKS, type UsrAssembly } from "./usr-assembly.ts";

/** A block of a slot that is not as the slot's own hash tree says. */
export type BadBlock = { readonly label: string; readonly block: number };

export type CopyOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly onCopied: (bytes: number) => void;
};

/** A slot that was half written has as many as it has blocks. */
const MAX_BAD_BLOCKS = 256;

/** Takes note of the blocks that an earlier try has left in the file. Each is hashed: a power cut may have spoilt it. */
export async function findKeptBlocks(assembly: UsrAssembly, sizeBytes: number, options: CopyOptions): Promise<void> {
  const hasher = assembly.createHasher();
  const digests = Buffer.alloc(BATCH_BLOCKS * DIGEST_BYTES);
  const end = Math.min(assembly.index.dataBlocks, Math.floor(sizeBytes / BLOCK_BYTES));
  for (let first = 0; first < end; first += BATCH_BLOCKS) {
    throwIfAborted(options.signal);
    const count = Math.min(BATCH_BLOCKS, end - first);
    await readBlocks(assembly.file, first, hasher.blocks.slice(0, count));
    hasher.digest(count, digests, 0);
    let kept = 0;
    for (let index = 0; index < count; index++) {
      if (assembly.accept(first + index, digestAt(digests, index))) kept += 1;
    }
    options.onCopied(kept * BLOCK_BYTES);
  }
}

/** What was found out about the slots while copying. */
export type SourceFindings = {
  readonly bad: readonly BadBlock[];
  /** For each source 1 for the blocks that were read and are as the slot's tree says. */
  readonly good: readonly Uint8Array[];
};

/** Copies what the slots have of the missing blocks. */
export async function copyFromSlots(
  assembly: UsrAssembly,
  sources: readonly OpenSource[],
  options: CopyOptions,
): Promise<SourceFindings> {
  const runs = findCopies(
    assembly.index.prefixes,
    assembly.isPresent,
    sources.map(({ digests }) => digests),
  );
  const hashers = [assembly.createHasher(), assembly.createHasher()] as const;
  const digests = Buffer.alloc(BATCH_BLOCKS * DIGEST_BYTES);
  const bad: BadBlock[] = [];
  const good = sources.map((source) => new Uint8Array(source.digests.length / DIGEST_BYTES));
  const batches = readAhead(runs.flatMap(inBatches), async (run, turn) => {
    throwIfAborted(options.signal);
    const source = sources[run.source];
    if (source === undefined) throw new RangeError("a copy from no source");
    const hasher = hashers[turn];
    const blocks = hasher.blocks.slice(0, run.blocks);
    await readBlocks(source.data, run.sourceBlock, blocks);
    return { run, source, hasher, blocks };
  });
  for await (const { run, source, hasher, blocks } of batches) {
    hasher.digest(run.blocks, digests, 0);
    const claimed = source.digests.subarray(
      run.sourceBlock * DIGEST_BYTES,
      (run.sourceBlock + run.blocks) * DIGEST_BYTES,
    );
    const isGood = digests.subarray(0, claimed.length).equals(claimed);
    if (isGood) await writeBlocksAt(assembly.file, run.targetBlock, blocks);
    for (const [index, block] of blocks.entries()) {
      const digest = digestAt(digests, index);
      const sourceBlock = run.sourceBlock + index;
      if (!isGood) {
        if (!digest.equals(digestAt(claimed, index))) {
          if (bad.length < MAX_BAD_BLOCKS) bad.push({ label: source.label, block: sourceBlock });
          continue;
        }
        await writeBlocksAt(assembly.file, run.targetBlock + index, [block]);
      }
      good[run.source]?.fill(1, sourceBlock, sourceBlock + 1);
      if (assembly.accept(run.targetBlock + index, digest)) options.onCopied(BLOCK_BYTES);
    }
  }
  return { bad, good };
}

function inBatches(run: CopyRun): CopyRun[] {
  return Array.from({ length: Math.ceil(run.blocks / BATCH_BLOCKS) }, (_, batch) => {
    const done = batch * BATCH_BLOCKS;
    return {
      source: run.source,
      sourceBlock: run.sourceBlock + done,
      targetBlock: run.targetBlock + done,
      blocks: Math.min(BATCH_BLOCKS, run.blocks - done),
    };
  });
}

function digestAt(digests: Buffer, index: number): Buffer {
  return digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new AshlarError("interrupted", "staging the release was interrupted");
}
