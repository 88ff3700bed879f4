import { AshlarError } from "@ashlar/base";
import { upperVerityLevels, type VerityParameters } from "@ashlar/formats";
import { BLOCK_BYTES, type BlocksIndex, blocksLayout, parseBlocksIndex } from "@ashlar/repository-index";
import { withRetries } from "./transport/retry.ts";
import type { Throttle } from "./transport/throttle.ts";
import type { ByteRange, Transport } from "./transport/transport.ts";

/** A `.blocks` file in a repository, and how to read it. */
export type BlocksFile = {
  readonly transport: Transport;
  readonly path: string;
  /** As the signed index says. */
  readonly sizeBytes: number;
  readonly throttle: Throttle;
  readonly signal?: AbortSignal | undefined;
  /** Told of each part of an answer's body. */
  readonly onFetched: (bytes: number) => void;
};

/**
 * Reads the index and compares it with the signed root hash. What is not vouched for by that (prefixes, sizes of segments)
 * can only mislead to blocks that the hash tree refuses.
 *
 * @returns also whether the server knows ranges
 * @throws AshlarError `untrusted` when it is another image's, and as {@link Transport}
 */
export async function readBlocksIndex(
  file: BlocksFile,
  parameters: VerityParameters,
  rootHash: string,
): Promise<{ readonly index: BlocksIndex; readonly hasRanges: boolean }> {
  const { indexBytes } = blocksLayout(parameters.dataBlocks);
  const { bytes, isWhole } = await readPart(file, { start: 0, end: indexBytes });
  const index = parseIndex(file, bytes);
  const found = Buffer.from(upperVerityLevels(parameters, index.leafDigests).rootHash).toString("hex");
  if (index.dataBlocks !== parameters.dataBlocks || found !== rootHash || index.sizeBytes !== file.sizeBytes) {
    throw wrongBytes(
      file,
      `expected ${parameters.dataBlocks} blocks under root hash ${rootHash}, found ${index.dataBlocks} under ${found}`,
    );
  }
  return { index, hasRanges: !isWhole };
}

function parseIndex(file: BlocksFile, bytes: Uint8Array): BlocksIndex {
  try {
    return parseBlocksIndex(bytes);
  } catch (error) {
    if (error instanceof AshlarError) throw wrongBytes(file, error.message);
    throw error;
  }
}

/** Reads one block of the hash tree's lowest level. */
export async function readLeaf(file: BlocksFile, index: BlocksIndex, leaf: number): Promise<Uint8Array> {
  const start = (index.segmentOffsets[index.segments] ?? 0) + leaf * BLOCK_BYTES;
  return (await readPart(file, { start, end: start + BLOCK_BYTES })).bytes;
}

/** The error for a server that sends something else than was published. */
export function wrongBytes(file: BlocksFile, detail: string): AshlarError {
  return new AshlarError(
    "untrusted",
    `${file.path} of ${file.transport.url} is not the file that was published: ${detail}`,
    {
      hint: "nothing was installed; compare the repository with `ashlar release verify`",
    },
  );
}

async function readPart(file: BlocksFile, range: ByteRange): Promise<{ bytes: Buffer; isWhole: boolean }> {
  return await withRetries(file.transport.patience, file.signal, async () => {
    const chunks: Uint8Array[] = [];
    let missing = range.end - range.start;
    const isWhole = await streamRange(file, range, (chunk) => {
      const part = chunk.subarray(0, missing);
      chunks.push(part);
      missing -= part.length;
      return missing > 0;
    });
    if (missing > 0) throw cutShort(file);
    return { bytes: Buffer.concat(chunks), isWhole };
  });
}

/**
 * Gives the bytes of a range as they come, until `onBytes` returns false. When the server sends the whole file instead,
 * what stands before the range is dropped.
 *
 * @returns whether the server sent the whole file
 */
export async function streamRange(
  file: BlocksFile,
  range: ByteRange,
  onBytes: (chunk: Uint8Array) => boolean | Promise<boolean>,
): Promise<boolean> {
  const { body, isWhole } = await file.transport.open(file.path, { range, signal: file.signal });
  let toSkip = isWhole ? range.start : 0;
  let wantsMore = true;
  for await (const chunk of body) {
    // A range has ended here; more comes only of a whole file, or from a server that sends too much.
    if (!wantsMore) break;
    file.onFetched(chunk.length);
    await file.throttle(chunk.length);
    const part = chunk.subarray(toSkip);
    toSkip = Math.max(0, toSkip - chunk.length);
    if (part.length > 0) wantsMore = await onBytes(part);
  }
  return isWhole;
}

/** The connection was closed before the promised bytes had come, in a way that looks like an end. */
export function cutShort(file: BlocksFile): AshlarError {
  return new AshlarError("unavailable", `${file.transport.url}${file.path}: expected more bytes, found the end`);
}
