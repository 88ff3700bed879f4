import { type FileHandle, open } from "node:fs/promises";
import type { VerityParameters } from "@ashlar/formats";
import { BLOCK_BYTES, findCopies } from "@ashlar/repository-index";
import type { ImageTree } from "@ashlar/volumes";
import { allOrNone } from "./all-or-none.ts";
import { type BlocksFile, readBlocksIndex, readLeaf, wrongBytes } from "./blocks-file.ts";
import { type BadBlock, type CopyOptions, copyFromSources, findKeptBlocks } from "./copy-blocks.ts";
import { fetchSegments } from "./fetch-segments.ts";
import { ImageAssembly } from "./image-assembly.ts";
import type { OpenedSources, UnusableSource } from "./image-source.ts";

export type StageImageOptions = CopyOptions & {
  /** Of the tree over the image. */
  readonly parameters: VerityParameters;
  /** Of the same tree: signed. */
  readonly rootHash: string;
  readonly blocksFile: BlocksFile;
  /** Opened when it is known that they are needed; closed here. The most trusted comes first. */
  readonly openSources: () => Promise<OpenedSources>;
  /** The file to write; what an earlier try has left in it is used. */
  readonly path: string;
};

/** What was found out about the sources. */
export type JudgedSources = {
  readonly badSourceBlocks: readonly BadBlock[];
  /** For each usable source, by its label: 1 for the blocks that were read and have the digest that it claims. */
  readonly goodSourceBlocks: ReadonlyMap<string, Uint8Array>;
  readonly unusableSources: readonly UnusableSource[];
};

/** Once for what is missing, once more for what came wrong. */
const MAX_ROUNDS = 2;

/**
 * Puts an image together from this machine's sources and the repository; every block hashes to the signed root hash, and
 * the file is on the disk, when it returns.
 */
export async function stageImage(
  options: StageImageOptions,
): Promise<{ readonly tree: ImageTree; readonly sources: JudgedSources }> {
  const { parameters, rootHash, blocksFile } = options;
  const { index, hasRanges } = await readBlocksIndex(blocksFile, parameters, rootHash);
  await using file = await openForUpdate(options.path);
  const { size } = await file.stat();
  await file.truncate(parameters.dataBlocks * BLOCK_BYTES);
  const assembly = new ImageAssembly(file, index, parameters);
  await findKeptBlocks(assembly, size, options);
  const sources = await copyAndFetch(assembly, options, hasRanges);
  await settleLeaves(assembly, blocksFile);
  for (let round = 1; assembly.missingBlocks > 0; round++) {
    if (round > MAX_ROUNDS) throw wrongBytes(blocksFile, `${assembly.missingBlocks} blocks do not match the hash tree`);
    await fetchSegments(assembly, assembly.isPresent, blocksFile, hasRanges);
    await settleLeaves(assembly, blocksFile);
  }
  await file.sync();
  return { tree: assembly, sources };
}

/** Copies what the sources have, and fetches what they have not, at the same time. */
async function copyAndFetch(
  assembly: ImageAssembly,
  options: StageImageOptions,
  hasRanges: boolean,
): Promise<JudgedSources> {
  const { opened, unusable } = await options.openSources();
  try {
    const { index, isPresent } = assembly;
    const runs = findCopies(
      index.prefixes,
      isPresent,
      opened.map(({ digests }) => digests),
    );
    const willBePresent = Uint8Array.from(isPresent);
    for (const { targetBlock, blocks } of runs) willBePresent.fill(1, targetBlock, targetBlock + blocks);
    const { blocksFile, signal } = options;
    const [{ bad, good }] = await allOrNone(
      [
        async (each) => await copyFromSources(assembly, opened, runs, { ...options, signal: each }),
        async (each) => await fetchSegments(assembly, willBePresent, { ...blocksFile, signal: each }, hasRanges),
      ],
      signal,
    );
    const goodOf = (position: number): Uint8Array => good[position] ?? new Uint8Array();
    const goodSourceBlocks = new Map(opened.map(({ label }, position) => [label, goodOf(position)]));
    return { badSourceBlocks: bad, goodSourceBlocks, unusableSources: unusable };
  } finally {
    await Promise.all(opened.map(async ({ data }) => await data.close()));
  }
}

async function openForUpdate(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch {
    return await open(path, "w+", 0o600);
  }
}

/** Where a prefix has misled, only the published leaf says which blocks are wrong. */
async function settleLeaves(assembly: ImageAssembly, file: BlocksFile): Promise<void> {
  for (const leaf of assembly.findMisledLeaves()) {
    const bytes = await readLeaf(file, assembly.index, leaf);
    if (!assembly.correctLeaf(leaf, bytes)) throw wrongBytes(file, `leaf ${leaf} does not match the root hash`);
  }
}
