import { AshlarError } from "@ashlar/base";
import { readAhead } from "@ashlar/host";
import { BLOCK_BYTES, DIGEST_BYTES, type CopyRun } from "@ashlar/repository-index";
import { BATCH_BLOCKS, digestBatches, readBlocks, writeBlocksAt } from "@ashlar/volumes";
import type { OpenSource } from "./image-source.ts";
import type { ImageAssembly } from "./image-assembly.ts";

/** A block of a source that is not as the source's own hash tree says. */
export type BadBlock = { readonly label: string; readonly block: number };

export type CopyOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly onCopied: (bytes: number) => void;
};

/** A slot that was half written has as many as it has blocks. */
const MAX_BAD_BLOCKS = 256;

/** Takes note of the blocks that an earlier try has left in the file. Each is hashed: a power cut may have spoilt it. */
export async function findKeptBlocks(
  assembly: ImageAssembly,
  sizeBytes: number,
  { signal, onCopied }: CopyOptions,
): Promise<void> {
  const end = Math.min(assembly.index.dataBlocks, Math.floor(sizeBytes / BLOCK_BYTES));
  for await (const { first, count, digests } of digestBatches(assembly.file, assembly.parameters, { end, signal })) {
    const kept = assembly.acceptRun(first, digests.subarray(0, count * DIGEST_BYTES));
    onCopied(kept * BLOCK_BYTES);
  }
}

/** What was found out about the sources while copying. */
export type SourceFindings = {
  readonly bad: readonly BadBlock[];
  /** For each source 1 for the blocks that were read and are as its tree says. */
  readonly good: readonly Uint8Array[];
};

/** Copies blocks from the sources; those that turn out to be others stay missing. */
export async function copyFromSources(
  assembly: ImageAssembly,
  sources: readonly OpenSource[],
  runs: readonly CopyRun[],
  options: CopyOptions,
): Promise<SourceFindings> {
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
    if (digests.subarray(0, claimed.length).equals(claimed)) {
      await writeBlocksAt(assembly.file, run.targetBlock, blocks);
      good[run.source]?.fill(1, run.sourceBlock, run.sourceBlock + run.blocks);
      options.onCopied(assembly.acceptRun(run.targetBlock, claimed) * BLOCK_BYTES);
      continue;
    }
    for (const [index, block] of blocks.entries()) {
      const digest = digestAt(digests, index);
      const sourceBlock = run.sourceBlock + index;
      if (!digest.equals(digestAt(claimed, index))) {
        if (bad.length < MAX_BAD_BLOCKS) bad.push({ label: source.label, block: sourceBlock });
        continue;
      }
      await writeBlocksAt(assembly.file, run.targetBlock + index, [block]);
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
  if (signal?.aborted === true) throw new AshlarError("interrupted", "copying blocks was interrupted");
}
