import { hash } from "node:crypto";
import { open } from "node:fs/promises";
import { AshlarError } from "@ashlar/base";
import {
  SUPERBLOCK_BYTES,
  upperVerityLevels,
  hashBlockDigests,
  type VerityParameters,
  writeVeritySuperblock,
} from "@ashlar/formats";
import { BLOCK_BYTES, type ReleaseSummary } from "@ashlar/repository-index";
import type { ImageTree } from "@ashlar/volumes";
import { openSources, type OpenSource } from "./image-source.ts";
import { openSlot, type SlotSource } from "./slot-source.ts";
import { type JudgedSources, stageImage, type StageImageOptions } from "./stage-image.ts";

export type StageUsrOptions = Pick<StageImageOptions, "blocksFile" | "signal" | "onCopied"> & {
  readonly summary: ReleaseSummary;
  readonly sources: readonly SlotSource[];
  /** Files to write; what an earlier try has left in the first is used. */
  readonly dataPath: string;
  readonly treePath: string;
};

/**
 * Puts a release's usr image and hash tree together from this machine's slots and the repository; every block hashes to the
 * signed root hash, and both files are on the disk, when it returns.
 */
export async function stageUsr(options: StageUsrOptions): Promise<JudgedSources> {
  const { summary, dataPath, treePath } = options;
  const parameters = parametersOf(summary);
  const openOne = async (slot: SlotSource): Promise<OpenSource> => await openSlot(slot, parameters);
  const { tree, sources } = await stageImage({
    ...options,
    parameters,
    rootHash: summary.usr.rootHash,
    path: dataPath,
    openSources: async () => await openSources(options.sources, ({ label }) => label, openOne),
  });
  await writeTree(tree, summary, treePath);
  return sources;
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

/** The hash tree as the release has it, byte for byte: superblock, then the levels from the root down. */
async function writeTree({ parameters, leaves }: ImageTree, { usr }: ReleaseSummary, path: string): Promise<void> {
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
