import { hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import {
  SUPERBLOCK_BYTES,
  upperVerityLevels,
  hashBlockDigests,
  type VerityParameters,
  writeVeritySuperblock,
} from "@ashlar/formats";
import { BLOCK_BYTES } from "../blocks/blocks-layout.ts";
import type { ReleaseSummary } from "../model/release-summary.ts";
import { type BlocksFile, readBlocksIndex, readLeaf, wrongBytes } from "./blocks-file.ts";
import { type BadBlock, copyFromSlots, findKeptBlocks, type SourceFindings } from "./copy-blocks.ts";
import { fetchSegments } from "./fetch-segments.ts";
import { openSources, type SlotSource, type UnusableSource } from "./slot-source.ts";
import { UsrAssembly } from "./usr-assembly.ts";

export type StageUsrOptions = {
  readonly summary: ReleaseSummary;
  readonly blocksFile: BlocksFile;
  readonly sources: readonly SlotSource[];
  /** Files to write; what an earlier try has left in the first is used. */
  readonly dataPath: string;
  readonly treePath: string;
  readonly signal?: AbortSignal | undefined;
  readonly onCopied: (bytes: number) => void;
};

export type StagedUsr = {
  readonly badSourceBlocks: readonly BadBlock[];
  /** For each usable source, by its label: 1 for the blocks that were read and are as its own hash tree says. */
  readonly goodSourceBlocks: ReadonlyMap<string, Uint8Array>;
  readonly unusableSources: readonly UnusableSource[];
};

/** Once for what is missing, once more for what came wrong. */
const MAX_ROUNDS = 2;

/**
 * Puts a release's usr image and hash tree together from this machine's slots and the repository; every block hashes to the
 * signed root hash, and both files are on the disk, when it returns.
 */
export async function stageUsr(options: StageUsrOptions): Promise<StagedUsr> {
  const { summary, blocksFile, dataPath } = options;
  const parameters = parametersOf(summary);
  const { index, hasRanges } = await readBlocksIndex(blocksFile, parameters, summary.usr.rootHash);
  await using file = await openForUpdate(dataPath);
  const { size } = await file.stat();
  await file.truncate(summary.usr.dataSizeBytes);
  const assembly = new UsrAssembly(file, index, parameters);
  await findKeptBlocks(assembly, size, options);
  const { opened, unusable } = await openSources(options.sources, parameters);
  let found: SourceFindings;
  try {
    found = await copyFromSlots(assembly, opened, options);
  } finally {
    await Promise.all(opened.map(async ({ data }) => await data.close()));
  }
  await settleLeaves(assembly, blocksFile);
  for (let round = 1; assembly.missingBlocks > 0; round++) {
    if (round > MAX_ROUNDS) throw wrongBytes(blocksFile, `${assembly.missingBlocks} blocks do not match the hash tree`);
    await fetchSegments(assembly, blocksFile, hasRanges);
    await settleLeaves(assembly, blocksFile);
  }
  await file.sync();
  await writeTree(assembly, summary, options.treePath);
  const goodSourceBlocks = new Map(opened.map(({ label }, index) => [label, found.good[index] ?? new Uint8Array()]));
  return { badSourceBlocks: found.bad, goodSourceBlocks, unusableSources: unusable };
}

function parametersOf({ usr }: ReleaseSummary): VerityParameters {
  return {
    algorithm: "sha256",
    salt: Buffer.from(usr.salt, "hex"),
    dataBlocks: usr.dataSizeBytes / BLOCK_BYTES,
    dataBlockSizeBytes: BLOCK_BYTES,
    hashBlockSizeBytes: BLOCK_BYTES,
  };
}

async function openForUpdate(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch {
    return await open(path, "w+", 0o600);
  }
}

/** Where a prefix has misled, only the release's own leaf says which blocks are wrong. */
async function settleLeaves(assembly: UsrAssembly, file: BlocksFile): Promise<void> {
  for (const leaf of assembly.findMisledLeaves()) {
    const bytes = await readLeaf(file, assembly.index, leaf);
    if (!assembly.correctLeaf(leaf, bytes)) throw wrongBytes(file, `leaf ${leaf} does not match the root hash`);
  }
}

/** The hash tree as the release has it, byte for byte: superblock, then the levels from the root down. */
async function writeTree(assembly: UsrAssembly, { usr }: ReleaseSummary, path: string): Promise<void> {
  const { parameters, leaves } = assembly;
  const { levels, rootHash } = upperVerityLevels(parameters, hashBlockDigests(parameters, leaves));
  const superblock = writeVeritySuperblock({ ...parameters, uuid: usr.uuid });
  const padding = Buffer.alloc(BLOCK_BYTES - SUPERBLOCK_BYTES);
  const tree = Buffer.concat([superblock, padding, ...levels.toReversed(), leaves]);
  const found = Buffer.from(rootHash).toString("hex");
  if (found !== usr.rootHash) throw new RangeError(`a settled tree has root hash ${found}, not ${usr.rootHash}`);
  if (hash("sha256", tree) !== usr.verity.sha256) {
    throw new AshlarError(
      "untrusted",
      "the release's summary has another hash tree than its root hash: publish it again",
    );
  }
  await using file = await open(path, "w", 0o600);
  await file.writeFile(tree);
  await file.sync();
}
